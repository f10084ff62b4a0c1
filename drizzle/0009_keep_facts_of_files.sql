-- What an image shows of its file is kept with it: looking it up took as long as all else of a page. Images that are here
-- already are filled in after this migration, a few at a time, lest nobody could read meanwhile; until then the
-- constraint holds for what is written alone.
ALTER TABLE "images" ADD COLUMN "mime_type" text;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "byte_size" integer;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "width" integer;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "height" integer;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "thumbhash" text;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "dominant_color" text;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "has_alpha" boolean;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_have_facts_of_files" CHECK ("images"."file_hash" is null or "images"."mime_type" is not null) NOT VALID;
--> statement-breakpoint
CREATE FUNCTION copy_facts_of_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha
  INTO NEW.mime_type, NEW.byte_size, NEW.width, NEW.height, NEW.thumbhash, NEW.dominant_color, NEW.has_alpha
  FROM files WHERE hash = NEW.file_hash;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER images_copy_facts_on_insert BEFORE INSERT ON images
  FOR EACH ROW WHEN (NEW.file_hash IS NOT NULL) EXECUTE FUNCTION copy_facts_of_file();
--> statement-breakpoint
CREATE TRIGGER images_copy_facts_on_update BEFORE UPDATE ON images
  FOR EACH ROW WHEN (
    NEW.file_hash IS DISTINCT FROM OLD.file_hash OR (NEW.file_hash IS NOT NULL AND NEW.mime_type IS NULL)
  ) EXECUTE FUNCTION copy_facts_of_file();
