// Its own types are there only when it is installed.
declare module 'ipx' {
  import type { RequestListener } from 'node:http';

  export type Ipx = (id: string) => object;
  export function ipxFSStorage(options: { dir: string }): object;
  export function createIPX(options: { storage: object; sharpOptions?: object }): Ipx;
  export function createIPXNodeServer(ipx: Ipx): RequestListener;
}

declare module 'ipx-as-documented' {
  export * from 'ipx';
}
