-- Where an asset's document nests the findings on it, as a JSON Pointer; null where it nests none. What is nested stays in the document when the last of
-- them leaves, and is left out where the asset is read.
ALTER TABLE assets ADD COLUMN nests TEXT;
