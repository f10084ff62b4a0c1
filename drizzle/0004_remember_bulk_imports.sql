CREATE TABLE "bulk_imports" (
	"file_key" text PRIMARY KEY NOT NULL,
	"byte_offset" bigint NOT NULL,
	"line" bigint NOT NULL,
	"added" bigint NOT NULL,
	"already_there" bigint NOT NULL,
	"refused" bigint NOT NULL,
	"report_bytes" bigint NOT NULL,
	"carry" jsonb NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
