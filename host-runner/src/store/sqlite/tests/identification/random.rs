//! Random readings, in any order and cut, under changing rules.

use super::*;

/// What a record says, in a random case.
#[derive(Debug, Clone)]
struct Said {
    connection: usize,
    alert: bool,
    key: u8,
    host: Option<u8>,
    mac: Option<u8>,
    of: Option<u8>,
}

#[derive(Debug, Clone)]
enum Act {
    Read { records: Vec<Said>, onboard: bool },
    Rules(usize),
    Close { connection: usize, key: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    let option = || proptest::option::weighted(0.8, 0..3_u8);
    let said = (
        0..2_usize,
        proptest::bool::weighted(0.3),
        0..4_u8,
        option(),
        option(),
        option(),
    )
        .prop_map(|(connection, alert, key, host, mac, of)| Said {
            connection,
            alert,
            key,
            host,
            mac,
            of,
        });
    prop_oneof![
        6 => (proptest::collection::vec(said, 1..4), any::<bool>()).prop_map(|(records, onboard)| Act::Read { records, onboard }),
        1 => (0..3_usize).prop_map(Act::Rules),
        1 => (0..2_usize, 0..4_u8).prop_map(|(connection, key)| Act::Close { connection, key }),
    ]
}

impl Said {
    fn entry(&self, fingerprint: &str) -> Entry {
        let mut pairs: Vec<(String, String)> = Vec::new();
        if let Some(host) = self.host {
            pairs.push(("host-name".to_owned(), format!("h{host}")));
            pairs.push(("domain".to_owned(), "corp.example.com".to_owned()));
        }
        if let Some(mac) = self.mac {
            pairs.push(("mac".to_owned(), format!("00:1b:44:11:3a:0{mac}")));
        }
        let key = format!("c{}-{}", self.connection, self.key);
        let mut document = if self.alert {
            let of = self.of.map(|of| format!("c{}-{of}", self.connection));
            finding(&key, of.as_deref(), "low")
        } else {
            asset(&key, json!({}))
        };
        document.identity = pairs;
        entry(&key, fingerprint, vec![document])
    }

    fn stream(&self) -> &'static str {
        if self.alert { "alerts" } else { "endpoints" }
    }
}

/// Which asset each link and each finding has.
async fn standing(bench: &Bench) -> BTreeMap<String, Option<i64>> {
    let links: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT 'link ' || record_id || ' ' || key, asset_id FROM links")
            .fetch_all(&bench.store.inner.readers)
            .await
            .unwrap();
    let findings = bench.findings().await;
    links
        .into_iter()
        .chain(
            findings
                .into_iter()
                .map(|finding| (format!("finding {}", finding.key), finding.asset)),
        )
        .collect()
}

/// Reads all that was said last again, as often as it takes for nothing to be due.
async fn read_all(
    benches: &[Bench],
    now: &mut u64,
    last: &BTreeMap<(usize, &'static str, u8), (Said, String)>,
    onboard: bool,
    made_with: &str,
) {
    for _ in 0..3 {
        for (at, bench) in benches.iter().enumerate() {
            for stream in ["endpoints", "alerts"] {
                *now += 10;
                let mut sync = bench.begin(stream, Mode::Incremental, *now).await;
                sync.switches = switches(true, onboard);
                sync.made_with = made_with.to_owned();
                let entries = last
                    .iter()
                    .filter(|((connection, of, _), _)| *connection == at && *of == stream)
                    .map(|(_, (said, fingerprint))| said.entry(fingerprint))
                    .collect();
                read(bench, &sync, entries).await;
                bench.end(&sync).await;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn ids_never_merge_keys_are_exact_and_what_waits_waits_for_good_reason(acts in proptest::collection::vec(act(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let first = Bench::new().await;
            let second = first.beside("second").await;
            let benches = [first, second];
            let mut now = 10;
            let mut last: BTreeMap<(usize, &'static str, u8), (Said, String)> = BTreeMap::new();
            let mut onboards = true;
            for act in acts {
                match act {
                    Act::Rules(which) => {
                        let text = ["external-id host-name+domain", "mac host-name+domain", "mac"][which];
                        benches[0].store.set_identification(&rules(text)).await.unwrap();
                    }
                    Act::Close { connection, key } => {
                        now += 10;
                        let bench = &benches[connection];
                        let sync = bench.begin("endpoints", Mode::Incremental, now).await;
                        bench.close(&sync, vec![closure(&format!("c{connection}-{key}"), Closing::Deleted)]).await;
                        bench.end(&sync).await;
                        last.remove(&(connection, "endpoints", key));
                    }
                    Act::Read { records, onboard } => {
                        onboards = onboard;
                        for said in records {
                            now += 10;
                            let bench = &benches[said.connection];
                            // Each reading is another: the same key may come twice in one act.
                            let fingerprint = now.to_string();
                            let mut sync = bench.begin(said.stream(), Mode::Incremental, now).await;
                            sync.switches = switches(true, onboard);
                            sync.made_with = format!("onboard {onboard}");
                            read(bench, &sync, vec![said.entry(&fingerprint)]).await;
                            bench.end(&sync).await;
                            last.insert((said.connection, said.stream(), said.key), (said, fingerprint));
                        }
                    }
                }
                for asset in benches[0].assets().await {
                    let connections: BTreeSet<_> = asset.keys.iter().map(|(connection, _)| connection.0).collect();
                    assert_eq!(connections.len(), asset.keys.len(), "{:?}", asset.keys);
                }
                expect_exact_keys(&benches[0]).await;
            }
            // What is not due would be no other if it were made anew: nothing was forgotten that should have been woken.
            let made_with = format!("onboard {onboards}");
            read_all(&benches, &mut now, &last, onboards, &made_with).await;
            let settled = standing(&benches[0]).await;
            read_all(&benches, &mut now, &last, onboards, "all anew").await;
            assert_eq!(standing(&benches[0]).await, settled);
        });
    }
}
