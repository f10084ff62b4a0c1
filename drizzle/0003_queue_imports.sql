ALTER TABLE "images" ADD COLUMN "import_due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "import_claim" uuid;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "source_host" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "replacement_id" uuid;--> statement-breakpoint
CREATE INDEX "images_to_import" ON "images" USING btree ("source_host","import_due_at") WHERE "images"."import_due_at" is not null and "images"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "images_being_imported" ON "images" USING btree ("source_host") WHERE "images"."import_claim" is not null;