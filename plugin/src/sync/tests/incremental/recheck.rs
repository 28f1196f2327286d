//! Alerts that are held open are asked for again.

use super::*;

/// The ids that a request asks for again; none where it lists.
fn asked(request: &Request) -> Option<Vec<Value>> {
    let filters = data(request)["filters"].as_array()?.clone();
    let ids = filters
        .iter()
        .find(|filter| filter["field"] == "alert_id_list")?;
    Some(ids["value"].as_array().unwrap().clone())
}

fn rechecks(platform: &FakePlatform) -> Vec<Vec<Value>> {
    platform.requests().iter().filter_map(asked).collect()
}

// elastic/integrations #19918 and #5979: closed at the source, open here.
#[test]
fn an_alert_that_was_resolved_closes_at_the_next_incremental_read() {
    let (tenant, platform, from) = read_tenant(5);
    {
        let mut records = tenant.records.borrow_mut();
        records[3]["resolution_status"] = json!(RESOLVED);
        records[3]["last_modified_ts"] = json!(NOW + MINUTE);
    }
    platform.set_now(NOW + HOUR);
    let before = platform.requests().len();
    let read = incremental(&platform, DataStream::Alerts, from);
    assert_eq!(read.keys(), set(&["0", "1", "2", "4"]));
    assert_eq!(
        read.closures(),
        [("3".into(), "resolved".into(), RESOLVED.into())]
    );
    let closure = read
        .steps
        .iter()
        .flat_map(|step| &step.closures)
        .next()
        .unwrap();
    assert_eq!(closure.at, Some(NOW + MINUTE));
    // An empty window is looked at twice; one request asks for all that is held.
    assert_eq!(platform.requests().len() - before, 3);
    let lines = platform.lines();
    assert!(
        lines
            .iter()
            .any(|(_, line)| line.contains("asked for again")),
        "{lines:?}"
    );
}

#[test]
fn an_alert_is_deleted_only_if_it_is_missing_twice_beside_others() {
    let (tenant, platform, from) = read_tenant(5);
    tenant.records.borrow_mut().remove(2);
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    let closures = read.closures();
    assert_eq!(closures.len(), 1, "{closures:?}");
    assert_eq!(
        closures[0],
        (
            "2".into(),
            "deleted".into(),
            "asked for twice by its id, at last with 1 others, 1 of which the API returned".into()
        )
    );
    let asked = rechecks(&platform);
    assert_eq!(asked.len(), 2);
    assert!(
        asked[1].contains(&json!(2)) && asked[1].len() == 2,
        "{asked:?}"
    );
}

#[test]
fn a_reply_that_lacks_what_it_counts_or_holds_nothing_proves_nothing() {
    let short = |_: &Request| {
        Answer::reply(json!({"total_count": 5, "alerts": [alert(0, 0, NEW), alert(1, 1, NEW)]}))
    };
    let nothing = |_: &Request| Answer::reply(json!({"total_count": 0, "alerts": []}));
    let others = |_: &Request| {
        Answer::reply(json!({"total_count": 2, "alerts": [alert(0, 0, NEW), alert(99, 1, NEW)]}))
    };
    let replies: [&'static dyn Fn(&Request) -> Answer; 3] = [
        Box::leak(Box::new(short)),
        Box::leak(Box::new(nothing)),
        Box::leak(Box::new(others)),
    ];
    for reply in replies {
        let (tenant, platform, from) = read_tenant(5);
        *tenant.instead.borrow_mut() =
            Box::new(move |_, request| asked(request).map(|_| reply(request)));
        platform.set_now(NOW + HOUR);
        let read = incremental(&platform, DataStream::Alerts, from);
        assert!(read.closures().is_empty(), "{:?}", read.closures());
        assert!(
            platform
                .lines()
                .iter()
                .any(|(_, line)| line.contains("proves nothing")),
            "{:?}",
            platform.lines()
        );
    }
}

#[test]
fn an_alert_missing_from_one_short_reply_is_not_deleted() {
    let (tenant, platform, from) = read_tenant(5);
    // The first reply lacks two and does not say how many there are.
    let first = std::cell::Cell::new(true);
    *tenant.instead.borrow_mut() = Box::new(move |_, request| {
        (asked(request).is_some() && first.replace(false)).then(|| {
            Answer::reply(json!({"total_count": null, "alerts": [alert(0, 0, NEW), alert(1, 1, NEW), alert(2, 2, NEW)]}))
        })
    });
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    assert!(read.closures().is_empty(), "{:?}", read.closures());
    assert_eq!(read.keys(), set(&["0", "1", "2", "3", "4"]));
}

#[test]
fn very_many_open_alerts_are_asked_for_over_several_reads_the_oldest_check_first() {
    let (tenant, platform, _) = read_tenant(0);
    // A tenant that answers for any id: the platform holds more than a read may ask for.
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        asked(request).map(|ids| {
            let alerts: Vec<Value> = ids
                .iter()
                .map(|id| alert(id.as_u64().unwrap() as usize, 1, NEW))
                .collect();
            Answer::reply(json!({"total_count": alerts.len(), "alerts": alerts}))
        })
    });
    for number in 0..10_500_u64 {
        platform.hold("alerts", &number.to_string(), number);
    }
    let from = ended(&full(&platform, DataStream::Alerts));
    let read = incremental(&platform, DataStream::Alerts, from);
    let asked = rechecks(&platform);
    assert_eq!(asked.len(), 100);
    assert!(asked.iter().all(|ids| ids.len() <= 100));
    // One request without a canary, the others with one.
    let expected: BTreeSet<String> = (0..99 * 100).map(|number| number.to_string()).collect();
    assert_eq!(read.keys(), expected);
    let note = read.steps.last().unwrap().note.clone().unwrap();
    assert!(
        note.contains("9900") && note.contains("100 requests"),
        "{note}"
    );
}

#[test]
fn a_recheck_that_is_cut_goes_on_where_it_stood_and_asks_for_none_twice() {
    let (_, platform, from) = read_tenant(350);
    platform.set_now(NOW + HOUR);
    let mut checkpoint = from;
    let mut keys = Vec::new();
    let mut runs = 0;
    loop {
        let reading = begin_as(
            Mode::Incremental,
            &platform,
            &settings(),
            DataStream::Alerts,
            Some(checkpoint.clone()),
        )
        .unwrap();
        runs += 1;
        assert!(runs < 50);
        let mut cut = false;
        // One step of each run is committed.
        match block_on(reading.next()).unwrap() {
            Progress::Step(step) => {
                cut = true;
                keys.extend(step.entries.into_iter().map(|entry| entry.key));
                checkpoint = step.checkpoint;
            }
            Progress::End(_) => {}
        }
        if !cut {
            break;
        }
    }
    assert_eq!(keys.len(), 350);
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), 350);
}

#[test]
fn an_alert_that_was_missing_once_is_asked_for_again_by_the_run_that_goes_on() {
    let (tenant, platform, from) = read_tenant(5);
    tenant.records.borrow_mut().remove(2);
    platform.set_now(NOW + HOUR);
    let mut checkpoint = from;
    let mut closed = Vec::new();
    // One step of each run is committed.
    for _ in 0..50 {
        let from = Some(checkpoint.clone());
        let reading = begin_as(
            Mode::Incremental,
            &platform,
            &settings(),
            DataStream::Alerts,
            from,
        )
        .unwrap();
        let Progress::Step(step) = block_on(reading.next()).unwrap() else {
            break;
        };
        closed.extend(step.closures.into_iter().map(|closure| closure.key));
        checkpoint = step.checkpoint;
    }
    assert_eq!(closed, ["2"]);
}

// elastic/integrations #19109: ids beyond 2^53 were rounded.
#[test]
fn ids_are_asked_for_as_exact_numbers_and_texts_never_beside_them() {
    let (tenant, platform, from) = read_tenant(0);
    let mut large = alert(1, 1, NEW);
    large["alert_id"] = json!("9007199254740993");
    tenant.records.borrow_mut().push(large);
    platform.hold("alerts", "9007199254740993", 1);
    platform.hold("alerts", "not-a-number", 2);
    platform.hold("alerts", "007", 3);
    platform.hold("alerts", "99999999999999999999999", 4);
    *tenant.instead.borrow_mut() = Box::new(|_, request| {
        let ids = asked(request)?;
        ids.iter()
            .any(Value::is_string)
            .then(|| Answer::json(500, &json!({"reply": {"err_code": 500, "err_msg": "An error occurred while processing XDR public API", "err_extra": "alert_id_list must be integers"}})))
    });
    platform.set_now(NOW + HOUR);
    let read = incremental(&platform, DataStream::Alerts, from);
    assert_eq!(read.entries(), ["9007199254740993"]);
    assert!(read.closures().is_empty());
    let asked = rechecks(&platform);
    assert_eq!(asked[0], [json!(9_007_199_254_740_993_u64)]);
    assert_eq!(
        asked[1],
        [
            json!("not-a-number"),
            json!("007"),
            json!("99999999999999999999999")
        ]
    );
    assert!(
        platform
            .lines()
            .iter()
            .any(|(_, line)| line.contains("stay unchecked")),
        "{:?}",
        platform.lines()
    );
}

#[test]
fn what_the_window_returned_is_not_asked_for_again() {
    let (tenant, platform, from) = read_tenant(3);
    tenant
        .records
        .borrow_mut()
        .push(stored(50, NOW, NOW + MINUTE, NEW));
    platform.hold("alerts", "50", 0);
    platform.set_now(NOW + HOUR);
    incremental(&platform, DataStream::Alerts, from);
    let asked = rechecks(&platform);
    // Held ids in the order of their checks, and the alert of the window as the canary.
    assert_eq!(asked, [[json!(0), json!(1), json!(2), json!(50)]]);
}
