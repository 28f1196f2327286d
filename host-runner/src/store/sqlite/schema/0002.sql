-- What the documents of a sync were made with, at its end: where it is another one now, records that were rejected are worth another try.
ALTER TABLE syncs ADD COLUMN made_with TEXT;
