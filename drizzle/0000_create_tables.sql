CREATE TYPE "public"."image_group" AS ENUM('GALLERY', 'SPIN_360', 'SWATCH');--> statement-breakpoint
CREATE TYPE "public"."image_state" AS ENUM('IMPORTED', 'UPLOADED', 'PENDING', 'FAILED');--> statement-breakpoint
CREATE TYPE "public"."image_type" AS ENUM('MORE_PHOTO', 'PREVIEW_PICTURE', 'DETAIL_PICTURE', 'SPIN_360', 'COLOR_SWATCH');--> statement-breakpoint
CREATE TYPE "public"."product_kind" AS ENUM('PRODUCT', 'SKU', 'OFFER', 'SERVICE');--> statement-breakpoint
CREATE SEQUENCE "public"."image_ids" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "files" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"mime_type" text NOT NULL,
	"byte_size" integer NOT NULL,
	"width" integer NOT NULL,
	"height" integer NOT NULL,
	"thumbhash" text NOT NULL,
	"dominant_color" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "image_counts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "image_counts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"type" "image_type" NOT NULL,
	"state" "image_state" NOT NULL,
	"deleted" boolean NOT NULL,
	"count" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "images" (
	"id" bigint PRIMARY KEY DEFAULT nextval('image_ids') NOT NULL,
	"product_id" bigint NOT NULL,
	"type" "image_type" DEFAULT 'MORE_PHOTO' NOT NULL,
	"image_group" "image_group" GENERATED ALWAYS AS (case type when 'SPIN_360' then 'SPIN_360'::image_group when 'COLOR_SWATCH' then 'SWATCH'::image_group else 'GALLERY'::image_group end) STORED NOT NULL,
	"order_key" text COLLATE "C" NOT NULL,
	"position" integer NOT NULL,
	"is_thumbnail" boolean DEFAULT false NOT NULL,
	"state" "image_state" DEFAULT 'IMPORTED' NOT NULL,
	"name" text NOT NULL,
	"source_url" text,
	"source_path" text,
	"file_hash" "bytea",
	"alt_text" text,
	"alt_texts" jsonb,
	"description" text,
	"focal_x" double precision,
	"focal_y" double precision,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"failure_code" text,
	"failure_message" text,
	"retry_at" timestamp (3) with time zone,
	"idempotency_key" text,
	"idempotency_hash" "bytea",
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	"restorable_until" timestamp (3) with time zone,
	CONSTRAINT "images_stored_have_a_file" CHECK ("images"."state" <> 'UPLOADED' or "images"."file_hash" is not null),
	CONSTRAINT "images_deleted_are_restorable" CHECK (("images"."deleted_at" is null) = ("images"."restorable_until" is null))
);
--> statement-breakpoint
CREATE TABLE "products" (
	"id" bigint PRIMARY KEY NOT NULL,
	"kind" "product_kind" DEFAULT 'PRODUCT' NOT NULL,
	"parent_id" bigint,
	"marketing_color" text,
	"images_version" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "released_files" (
	"hash" "bytea" PRIMARY KEY NOT NULL
);
--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_product_id_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_file_hash_files_hash_fk" FOREIGN KEY ("file_hash") REFERENCES "public"."files"("hash") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_parent_id_products_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "image_counts_by_key" ON "image_counts" USING btree ("type","state","deleted");--> statement-breakpoint
CREATE UNIQUE INDEX "images_in_order" ON "images" USING btree ("product_id","image_group","order_key") WHERE "images"."deleted_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "images_one_thumbnail" ON "images" USING btree ("product_id") WHERE "images"."is_thumbnail" and "images"."deleted_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "images_by_idempotency_key" ON "images" USING btree ("idempotency_key") WHERE "images"."idempotency_key" is not null;--> statement-breakpoint
CREATE INDEX "images_by_id" ON "images" USING btree ("id") WHERE "images"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "images_by_update" ON "images" USING btree ("updated_at","id") WHERE "images"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "images_deleted_in_order" ON "images" USING btree ("product_id","image_group","order_key","id") WHERE "images"."deleted_at" is not null;--> statement-breakpoint
CREATE INDEX "images_to_purge" ON "images" USING btree ("restorable_until") WHERE "images"."deleted_at" is not null;--> statement-breakpoint
CREATE INDEX "images_by_file" ON "images" USING btree ("file_hash") WHERE "images"."file_hash" is not null;--> statement-breakpoint
CREATE INDEX "products_by_parent" ON "products" USING btree ("parent_id") WHERE "products"."parent_id" is not null;