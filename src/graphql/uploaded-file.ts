/** A file of a multipart request; rests on disk until the request is answered. */
export class UploadedFile {
  readonly name: string;
  readonly temporaryPath: string;

  constructor(name: string, temporaryPath: string) {
    this.name = name;
    this.temporaryPath = temporaryPath;
  }
}
