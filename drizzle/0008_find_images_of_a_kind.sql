CREATE INDEX "images_of_kind_in_order" ON "images" USING btree ("type","state","product_id","image_group","order_key","id") WHERE "images"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "images_of_kind_by_id" ON "images" USING btree ("type","state","id") WHERE "images"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "images_of_kind_by_update" ON "images" USING btree ("type","state","updated_at","id") WHERE "images"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "images_deleted_of_kind_in_order" ON "images" USING btree ("type","state","product_id","image_group","order_key","id") WHERE "images"."deleted_at" is not null;--> statement-breakpoint
CREATE INDEX "images_deleted_of_kind_by_id" ON "images" USING btree ("type","state","id") WHERE "images"."deleted_at" is not null;--> statement-breakpoint
CREATE INDEX "images_deleted_of_kind_by_update" ON "images" USING btree ("type","state","updated_at","id") WHERE "images"."deleted_at" is not null;