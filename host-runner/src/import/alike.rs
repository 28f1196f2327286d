//! Rows of one file that come to the same asset. The first is loaded; what another says would be laid over it, and lost where both say the same of
//! something.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::row::RowError;
use crate::identification::{Field, Identity};
use crate::store::ImportedAsset;

/// The beginning of a digest: rows are many, and their texts may be long.
type Mark = [u8; 16];

/// The rows that were read. It holds some fifty bytes of each.
#[derive(Debug, Default)]
pub struct Alike {
    /// By a row's key: its line, and what it says.
    seen: HashMap<Mark, (u64, Mark)>,
}

impl Alike {
    /// Remembers a row.
    ///
    /// # Errors
    /// Where one before it has the same key: with an external id only where they say different things, without one in any case, as two machines may
    /// look alike.
    pub fn take(&mut self, row: &ImportedAsset) -> Result<(), RowError> {
        let key = mark(row.key.as_bytes());
        let said = said(row);
        let Some((line, before)) = self.seen.get(&key).copied() else {
            self.seen.insert(key, (row.line, said));
            return Ok(());
        };
        let pairs = row.identity.iter();
        let known = Identity::of(pairs.map(|(name, value)| (name.as_str(), value.as_str())));
        if known.values(Field::ExternalId).next().is_none() {
            return Err(RowError::Alike {
                line,
                by: row.key.clone(),
            });
        }
        if before == said {
            return Ok(());
        }
        Err(RowError::Again {
            line,
            id: row.key.clone(),
        })
    }
}

fn mark(bytes: &[u8]) -> Mark {
    let digest = Sha256::digest(bytes);
    let mut mark = Mark::default();
    for (to, from) in mark.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    mark
}

/// All that a row says, but for where it stands.
fn said(row: &ImportedAsset) -> Mark {
    let said = serde_json::json!([
        row.identity,
        row.host_name,
        row.body,
        row.first_seen.map(|time| time.as_ms())
    ]);
    mark(said.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::Timestamp;
    use crate::import::parse;

    fn told(rows: &[Value]) -> Vec<Option<String>> {
        let now = Timestamp::from_rfc3339("2026-03-31T12:34:56.789Z").unwrap();
        let mut alike = Alike::default();
        (1..)
            .zip(rows)
            .map(|(line, row)| {
                let row = parse(line, row.to_string().as_bytes(), now).unwrap();
                let taken = alike.take(&row.asset.unwrap());
                taken.err().map(|error| error.to_string())
            })
            .collect()
    }

    #[test]
    fn two_machines_of_one_name_are_two_rows_where_their_addresses_differ() {
        let rows = [
            json!({"hostName": "pc1", "macAddresses": ["00:11:22:33:44:01"], "asset": {"owner": "anna"}}),
            json!({"hostName": "pc1", "macAddresses": ["00:11:22:33:44:02"], "asset": {"owner": "ben"}}),
            json!({"hostName": "pc1", "domain": "corp.example.com"}),
            json!({"hostName": "pc1"}),
        ];
        assert_eq!(told(&rows), vec![None; 4]);
    }

    #[test]
    fn a_row_that_is_known_by_no_more_than_another_is_told_with_the_line_of_that_one() {
        let rows = [
            json!({"externalId": "pc1"}),
            json!({"hostName": "pc1", "asset": {"owner": "anna"}}),
            json!({"hostName": "PC1.", "asset": {"owner": "ben"}}),
            json!({"hostName": "pc1", "asset": {"owner": "anna"}}),
        ];
        let told = told(&rows);
        assert_eq!(told[..2], [None, None]);
        for told in &told[2..] {
            let told = told.as_deref().unwrap();
            assert!(told.contains("line 2"), "{told}");
            assert!(told.contains("host-name:pc1"), "{told}");
        }
    }

    #[test]
    fn an_external_id_may_be_repeated_by_a_row_that_says_the_same() {
        let rows = [
            json!({"externalId": "a", "asset": {"owner": "anna", "os": "x"}}),
            json!({"asset": {"owner": "anna", "os": "x"}, "externalId": "a", "colour": "red"}),
            json!({"externalId": "a", "asset": {"owner": "ben"}}),
            json!({"externalId": "a", "firstSeen": "2024-01-01T00:00:00Z", "asset": {"owner": "anna", "os": "x"}}),
        ];
        let told = told(&rows);
        assert_eq!(told[..2], [None, None]);
        for told in &told[2..] {
            let told = told.as_deref().unwrap();
            assert!(told.contains("line 1") && told.contains("\"a\""), "{told}");
        }
    }
}
