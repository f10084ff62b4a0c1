-- Notes which files images have let go of, in the transaction that does it: a file that nothing names is found
-- without looking through all of them, also after a crash. The update locks a note that stands already, so that
-- nobody acts on it before this transaction has ended.
CREATE FUNCTION note_files_of_purged_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO released_files (hash)
  SELECT DISTINCT file_hash FROM old_images WHERE file_hash IS NOT NULL ORDER BY 1
  ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION note_files_of_updated_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO released_files (hash)
  SELECT DISTINCT old_images.file_hash FROM old_images JOIN new_images USING (id)
  WHERE old_images.file_hash IS NOT NULL AND old_images.file_hash IS DISTINCT FROM new_images.file_hash ORDER BY 1
  ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER images_release_files_on_delete AFTER DELETE ON images
  REFERENCING OLD TABLE AS old_images FOR EACH STATEMENT EXECUTE FUNCTION note_files_of_purged_images();
--> statement-breakpoint
CREATE TRIGGER images_release_files_on_update AFTER UPDATE ON images
  REFERENCING OLD TABLE AS old_images NEW TABLE AS new_images FOR EACH STATEMENT EXECUTE FUNCTION note_files_of_updated_images();
