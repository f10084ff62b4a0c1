-- Unlogged: after a crash it is empty, and so is the list of those who listen.
CREATE UNLOGGED TABLE "watched_products" (
	"product_id" bigint NOT NULL,
	"listener_pid" integer NOT NULL,
	"listener_started_at" timestamp with time zone NOT NULL,
	CONSTRAINT "watched_products_product_id_listener_pid_listener_started_at_pk" PRIMARY KEY("product_id","listener_pid","listener_started_at")
);
--> statement-breakpoint
-- Tells listeners of those of the products, and of their variations, which show their images, that somebody watches.
-- A payload has at most 8,000 bytes: 300 ids of up to 19 digits with their commas.
CREATE FUNCTION tell_of_changed_products(changed bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('packshot_changes', string_agg(id::text, ',')) FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) / 300 AS part FROM (
      SELECT product_id AS id FROM watched_products WHERE product_id = ANY (changed)
      UNION
      SELECT product_id FROM products JOIN watched_products ON product_id = products.id
      WHERE parent_id = ANY (changed)
    ) watched
  ) parts GROUP BY part;
END $$;
--> statement-breakpoint
CREATE FUNCTION tell_of_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM watched_products) THEN
    PERFORM tell_of_changed_products(ARRAY(SELECT id FROM changed));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION tell_of_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM watched_products) THEN
    PERFORM tell_of_changed_products(ARRAY(SELECT DISTINCT product_id FROM changed));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Not of a worker's claim: nobody sees it. What the API changes of a claimed image changes its product, too. (A join
-- with the old rows would be planned once, for as few rows as came first.)
CREATE FUNCTION tell_of_updated_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM watched_products) THEN
    PERFORM tell_of_changed_products(ARRAY(
      SELECT DISTINCT product_id FROM changed WHERE import_claim IS NULL
    ));
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER products_told_on_insert AFTER INSERT ON products
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_products();
--> statement-breakpoint
CREATE TRIGGER products_told_on_update AFTER UPDATE ON products
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_products();
--> statement-breakpoint
CREATE TRIGGER images_told_on_insert AFTER INSERT ON images
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_images();
--> statement-breakpoint
CREATE TRIGGER images_told_on_update AFTER UPDATE ON images
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_updated_images();
--> statement-breakpoint
CREATE TRIGGER images_told_on_delete AFTER DELETE ON images
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_images();
