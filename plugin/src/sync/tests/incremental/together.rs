//! Incremental reads of random tenants, cut anywhere: together they know what the tenant holds.

use super::*;

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(60))]
    #[test]
    fn incremental_reads_together_see_all_that_a_tenant_holds(
        arrivals in proptest::collection::vec((0_u64..300, 0_u64..12), 0..120),
        resolved in proptest::collection::vec(0_usize..120, 0..20),
        cuts in proptest::collection::vec(1_usize..6, 1..30),
        null in proptest::bool::ANY,
    ) {
        let tenant = Tenant::new(Vec::new());
        tenant.total.set(if null { Total::Null } else { Total::Capped(49) });
        let platform = tenant.platform();
        let first = all(&begin_small(&platform, &settings(), DataStream::Alerts, None).unwrap()).unwrap();
        let mut checkpoint = ended(&first);
        let mut cuts = cuts.into_iter();
        let mut open = BTreeSet::new();
        // Every hour some arrive, of which the server stored each within that hour, with any creation time; some of the older ones are resolved.
        for hour in 0..13_u64 {
            for (number, (created, at)) in arrivals.iter().enumerate() {
                if *at == hour {
                    let time = NOW + hour * HOUR + created * MINUTE / 6;
                    tenant.records.borrow_mut().push(stored(number, BEGINNING + created, time, NEW));
                } else if *at < hour && resolved.get(hour as usize) == Some(&number) {
                    for record in tenant.records.borrow_mut().iter_mut() {
                        if record["alert_id"] == json!(number.to_string()) {
                            record["resolution_status"] = json!(RESOLVED);
                        }
                    }
                }
            }
            platform.set_now(NOW + (hour + 1) * HOUR);
            // Cut after any step, and gone on with from its checkpoint.
            'runs: loop {
                let reading = begin_small_as(Mode::Incremental, &platform, &settings(), DataStream::Alerts, Some(checkpoint.clone())).unwrap();
                for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                    match block_on(reading.next()).unwrap() {
                        Progress::Step(step) => {
                            open.extend(step.entries.into_iter().map(|entry| entry.key));
                            for closure in step.closures {
                                proptest::prop_assert!(matches!(closure.closing, Closing::Resolved));
                                open.remove(&closure.key);
                            }
                            checkpoint = step.checkpoint;
                        }
                        Progress::End(summary) => {
                            proptest::prop_assert!(matches!(summary.coverage, Coverage::Complete(_)));
                            checkpoint = summary.checkpoint;
                            break 'runs;
                        }
                    }
                }
            }
            platform.held_are("alerts", &open);
        }
        // One more for what was resolved in the last hour.
        let last = incremental(&platform, DataStream::Alerts, checkpoint);
        for (key, _, _) in last.closures() {
            open.remove(&key);
        }
        open.extend(last.entries());
        let expected: BTreeSet<String> = tenant
            .records
            .borrow()
            .iter()
            .filter(|record| record["resolution_status"] == NEW)
            .map(|record| record["alert_id"].as_str().unwrap().to_owned())
            .collect();
        proptest::prop_assert_eq!(open, expected);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(40))]
    #[test]
    fn new_ones_and_sweeps_together_know_every_endpoint_that_was_seen(
        changes in proptest::collection::vec((0_usize..40, 0_u8..4), 0..60),
        sweep_hours in 0_u16..4,
        cuts in proptest::collection::vec(1_usize..6, 1..30),
    ) {
        let tenant = Tenant::new(Vec::new());
        tenant.total.set(Total::Capped(49));
        let platform = tenant.platform();
        let settings = Settings { endpoint_sweep_hours: sweep_hours, tags: set(&["all"]), ..settings() };
        let first = all(&begin_small(&platform, &settings, DataStream::Endpoints, None).unwrap()).unwrap();
        let mut checkpoint = ended(&first);
        let mut cuts = cuts.into_iter();
        let mut known = std::collections::BTreeMap::new();
        for hour in 0..6_u64 {
            let now = NOW + hour * HOUR;
            for (number, what) in changes.iter().skip(hour as usize * 10).take(10) {
                let mut records = tenant.records.borrow_mut();
                let id = format!("e{number:05}");
                let Some(record) = records.iter_mut().find(|record| record["endpoint_id"] == json!(id)) else {
                    let mut record = endpoint(*number, 0);
                    record["first_seen"] = json!(now + 7 * MINUTE);
                    record["last_seen"] = json!(now + 7 * MINUTE);
                    records.push(record);
                    continue;
                };
                record["last_seen"] = json!(now + 8 * MINUTE);
                match what {
                    0 => record["ip"] = json!([format!("10.0.{hour}.{number}")]),
                    1 => record["tags"] = json!({"server_tags": [], "endpoint_tags": []}),
                    2 => record["tags"] = json!({"server_tags": ["all"], "endpoint_tags": []}),
                    _ => record["endpoint_status"] = json!("UNINSTALLED"),
                }
            }
            // The last hour's sweep is due whatever the hours between two.
            platform.set_now(NOW + (hour + 1) * HOUR + if hour == 5 { 5 * HOUR } else { 0 });
            'runs: loop {
                let reading =
                    begin_small_as(Mode::Incremental, &platform, &settings, DataStream::Endpoints, Some(checkpoint.clone())).unwrap();
                for _ in 0..cuts.next().unwrap_or(usize::MAX) {
                    match block_on(reading.next()).unwrap() {
                        Progress::Step(step) => {
                            for entry in step.entries {
                                let body: Value = serde_json::from_slice(&entry.body).unwrap();
                                known.insert(entry.key, Some(body["ip"].clone()));
                            }
                            for closure in step.closures {
                                known.insert(closure.key, None);
                            }
                            checkpoint = step.checkpoint;
                        }
                        Progress::End(summary) => {
                            proptest::prop_assert!(matches!(summary.coverage, Coverage::Complete(_)));
                            checkpoint = summary.checkpoint;
                            break 'runs;
                        }
                    }
                }
            }
        }
        let expected: std::collections::BTreeMap<String, Option<Value>> = tenant
            .records
            .borrow()
            .iter()
            .map(|record| {
                let tagged = record["tags"].to_string().contains("all");
                let kept = tagged && record["endpoint_status"] == "CONNECTED";
                (record["endpoint_id"].as_str().unwrap().to_owned(), kept.then(|| record["ip"].clone()))
            })
            .collect();
        proptest::prop_assert_eq!(known, expected);
    }
}
