//! What keeps a sync from removing too much.

use crate::store::{Connection, RemovalGuard, SyncHistory};

/// The guard that was asked for. Until a full sync that began after the key was replaced is complete, nothing is removed unasked: a key that may see
/// less makes records look gone.
pub(super) fn guard(
    asked: &RemovalGuard,
    connection: &Connection,
    history: &SyncHistory,
) -> RemovalGuard {
    let replaced = connection.secrets_changed_at.filter(|at| {
        history
            .last_complete_full
            .as_ref()
            .is_none_or(|full| full.started_at < *at)
    });
    RemovalGuard {
        hold: replaced.map(|at| {
            format!("the key was replaced at {at}, and the new one may be allowed to see less")
        }),
        ..asked.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConnectionId, Mode, SyncId, Timestamp};
    use crate::store::{ComponentRef, FinishedSync, Policy, Tested, WayOut};

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn connection(replaced: Option<u64>) -> Connection {
        Connection {
            id: ConnectionId(1),
            name: "xdr".parse().unwrap(),
            description: String::new(),
            component: ComponentRef {
                name: "c".into(),
                version: "0.1.0".into(),
                sha256: String::new(),
            },
            typed_config: serde_json::json!({}),
            config: serde_json::json!({}),
            origins: vec![],
            secrets: vec![],
            data_streams: vec![],
            scope: vec![],
            policy: Policy::default(),
            target: "safe".into(),
            maps: std::collections::BTreeMap::new(),
            allow_loopback: false,
            way_out: WayOut::default(),
            tested: Tested::Untested {
                reason: String::new(),
            },
            leave_out_users: false,
            set_aside: None,
            reach: None,
            secrets_changed_at: replaced.map(at),
            created_at: at(0),
            updated_at: at(0),
        }
    }

    fn complete(started: u64) -> SyncHistory {
        SyncHistory {
            last_complete_full: Some(FinishedSync {
                sync: SyncId(1),
                mode: Mode::Full,
                scope: String::new(),
                started_at: at(started),
                ended_at: at(started + 100),
                made_with: None,
            }),
            ..SyncHistory::default()
        }
    }

    fn holds(replaced: Option<u64>, history: &SyncHistory) -> bool {
        guard(&RemovalGuard::default(), &connection(replaced), history)
            .hold
            .is_some()
    }

    #[test]
    fn a_replaced_key_holds_removals_until_a_full_sync_that_began_later_is_complete() {
        assert!(!holds(None, &complete(10)));
        assert!(holds(Some(20), &complete(10)));
        // It began before and ended after: a part of it was read with the old key.
        assert!(holds(Some(50), &complete(10)));
        assert!(!holds(Some(20), &complete(21)));
        assert!(holds(Some(20), &SyncHistory::default()));
    }

    #[test]
    fn what_was_asked_for_stays() {
        let asked = RemovalGuard {
            share: 0.5,
            at_least: 7,
            hold: None,
            confirmed: true,
        };
        let guard = guard(&asked, &connection(None), &complete(10));
        assert_eq!(guard, asked);
    }
}
