-- Keeps image_counts true in the transaction that changes images, whoever changes them.
-- A writer takes a row of its key that nobody holds, or adds one: it never waits for another writer.
CREATE FUNCTION add_image_count(key_type image_type, key_state image_state, key_deleted boolean, delta bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE image_counts SET count = count + delta WHERE id = (
    SELECT id FROM image_counts
    WHERE type = key_type AND state = key_state AND deleted = key_deleted
    LIMIT 1 FOR UPDATE SKIP LOCKED
  );
  IF NOT FOUND THEN
    INSERT INTO image_counts (type, state, deleted, count) VALUES (key_type, key_state, key_deleted, delta);
  END IF;
END $$;
--> statement-breakpoint
CREATE FUNCTION count_inserted_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_image_count(type, state, deleted, delta) FROM (
    SELECT type, state, deleted_at IS NOT NULL AS deleted, count(*) AS delta
    FROM new_images GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ) changes;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION count_purged_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_image_count(type, state, deleted, delta) FROM (
    SELECT type, state, deleted_at IS NOT NULL AS deleted, -count(*) AS delta
    FROM old_images GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ) changes;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION count_updated_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_image_count(type, state, deleted, delta) FROM (
    SELECT type, state, deleted, sum(sign)::bigint AS delta FROM (
      SELECT type, state, deleted_at IS NOT NULL AS deleted, 1 AS sign FROM new_images
      UNION ALL
      SELECT type, state, deleted_at IS NOT NULL, -1 FROM old_images
    ) both_sides GROUP BY 1, 2, 3 HAVING sum(sign) <> 0 ORDER BY 1, 2, 3
  ) changes;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER images_counted_on_insert AFTER INSERT ON images
  REFERENCING NEW TABLE AS new_images FOR EACH STATEMENT EXECUTE FUNCTION count_inserted_images();
--> statement-breakpoint
CREATE TRIGGER images_counted_on_update AFTER UPDATE ON images
  REFERENCING OLD TABLE AS old_images NEW TABLE AS new_images FOR EACH STATEMENT EXECUTE FUNCTION count_updated_images();
--> statement-breakpoint
CREATE TRIGGER images_counted_on_delete AFTER DELETE ON images
  REFERENCING OLD TABLE AS old_images FOR EACH STATEMENT EXECUTE FUNCTION count_purged_images();
