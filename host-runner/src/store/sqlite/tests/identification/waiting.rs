//! What waits for its asset.

use super::*;

#[tokio::test]
async fn what_waits_is_not_made_anew_until_an_asset_comes_that_it_may_be() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let waiting = || vec![machine("x1", "1", SRV)];
    without_onboarding(&second, "endpoints", 10, waiting()).await;
    let sync = second.begin("endpoints", Mode::Incremental, 20).await;
    assert_eq!(
        second.stands(&sync, &[("x1", "1")]).await,
        [Standing::Unchanged]
    );
    second.end(&sync).await;
    without_onboarding(&second, "endpoints", 25, waiting()).await;

    first
        .full(
            "endpoints",
            30,
            vec![machine("e9", "1", &[("host-name", "other")])],
        )
        .await;
    let sync = second.begin("endpoints", Mode::Full, 35).await;
    assert_eq!(
        second.stands(&sync, &[("x1", "1")]).await,
        [Standing::Unchanged]
    );
    first
        .full("endpoints", 40, vec![machine("e1", "1", SRV)])
        .await;
    assert_eq!(
        second.stands(&sync, &[("x1", "1")]).await,
        [Standing::NeedsTransform]
    );
    let ledger = read(&second, &sync, waiting()).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert!(!second.record("endpoints", "x1").await.unwrap().parked);
}

#[tokio::test]
async fn an_alert_without_an_endpoint_attaches_by_the_rules_or_waits() {
    let bench = Bench::new().await;
    bench.store.set_identification(&rules("mac")).await.unwrap();
    bench
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let alerts = || vec![stray("a1", SRV_TOO), stray("a2", &[("host-name", "srv-1")])];
    let (ledger, _) = bench.full("alerts", 20, alerts()).await;
    assert_eq!((ledger.new, ledger.parked), (0, 2));
    // By name and domain, which the second does not have.
    bench
        .store
        .set_identification(&Rules::default())
        .await
        .unwrap();
    read_alerts(&bench, 30, alerts()).await;
    let findings = bench.findings().await;
    assert_eq!((findings[0].asset, findings[1].asset), (Some(1), None));
    assert_eq!(bench.assets().await.len(), 1);
}

#[tokio::test]
async fn an_alert_that_waits_attaches_when_its_asset_comes_by_another_connection() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    second.full("alerts", 10, vec![stray("a1", SRV)]).await;
    assert!(second.record("alerts", "a1").await.unwrap().parked);
    first
        .full("endpoints", 20, vec![machine("e1", "1", SRV)])
        .await;
    let ledger = read_alerts(&second, 30, vec![stray("a1", SRV)]).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert_eq!(second.findings().await[0].asset, Some(1));
    // Its asset is called otherwise: the alert stays where it is.
    first
        .full(
            "endpoints",
            40,
            vec![machine("e1", "2", &[("host-name", "new")])],
        )
        .await;
    let mut again = stray("a1", SRV);
    again.fingerprint = "2".to_owned();
    read_alerts(&second, 50, vec![again]).await;
    assert_eq!(second.findings().await[0].asset, Some(1));
}

#[tokio::test]
async fn an_alert_of_an_endpoint_that_is_not_read_attaches_to_what_it_says_of_it_until_the_link_says_more()
 {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let of_x1 = || {
        let mut document = finding("a1", Some("x1"), "high");
        document.identity = said(SRV);
        vec![entry("a1", "1", vec![document])]
    };
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    second.full("alerts", 20, of_x1()).await;
    assert_eq!(second.findings().await[0].asset, Some(1));
    // The endpoint itself turns out to be another asset.
    first
        .full(
            "endpoints",
            30,
            vec![
                machine("e1", "1", SRV),
                machine("e2", "1", &[("external-id", "x1")]),
            ],
        )
        .await;
    second
        .full("endpoints", 40, vec![machine("x1", "1", SRV)])
        .await;
    let linked = second.assets().await;
    let of_link = linked
        .iter()
        .find(|asset| asset.keys.contains(&(second.connection, "x1".to_owned())));
    let of_link = of_link.unwrap().id;
    assert_ne!(of_link, 1);
    read_alerts(&second, 50, of_x1()).await;
    assert_eq!(second.findings().await[0].asset, Some(of_link));
}

#[tokio::test]
async fn other_rules_make_all_keys_anew_and_try_what_waits_again() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let by_mac = |key: &str| machine(key, "1", &[("mac", MAC)]);
    first.full("endpoints", 10, vec![by_mac("e1")]).await;
    without_onboarding(&second, "endpoints", 20, vec![by_mac("x1")]).await;
    assert!(second.record("endpoints", "x1").await.unwrap().parked);

    let same = second
        .store
        .set_identification(&Rules::default())
        .await
        .unwrap();
    assert!(same.retried.is_empty());
    let changed = second
        .store
        .set_identification(&rules("mac external-id"))
        .await
        .unwrap();
    assert_eq!(changed.before, Rules::default());
    assert_eq!((changed.assets, changed.keys), (1, 2));
    assert_eq!(changed.retried.len(), 1);
    assert_eq!(
        (changed.retried[0].name.as_str(), changed.retried[0].records),
        ("second", 1)
    );
    assert_eq!(
        second.store.identification().await.unwrap(),
        rules("mac external-id")
    );

    let ledger = without_onboarding(&second, "endpoints", 30, vec![by_mac("x1")]).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    assert_eq!(first.assets().await[0].keys.len(), 2);
    expect_exact_keys(&first).await;
}

#[tokio::test]
async fn an_alert_stays_on_its_machine_when_another_takes_its_name_later() {
    let bench = Bench::new().await;
    let renamed: &[(&str, &str)] = &[("host-name", "old-1"), ("domain", "corp.example.com")];
    bench
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    read_alerts(&bench, 20, vec![stray("a1", SRV)]).await;
    let first = bench.findings().await[0].asset;
    assert!(first.is_some());
    let now = || vec![machine("e1", "2", renamed), machine("e2", "1", SRV)];
    bench.full("endpoints", 30, now()).await;
    // Made anew, as by another map: its words are the same, and so is its machine.
    let mut sync = bench.begin("alerts", Mode::Full, 40).await;
    sync.made_with = "map-2".to_owned();
    read(&bench, &sync, vec![stray("a1", SRV)]).await;
    bench.end(&sync).await;
    assert_eq!(bench.findings().await[0].asset, first);
    // What it says of its machine is another now: that is read anew.
    let mut other = stray("a1", renamed);
    other.fingerprint = "2".to_owned();
    let moved = vec![stray("a2", SRV), other];
    read_alerts(&bench, 50, moved).await;
    let findings = bench.findings().await;
    assert_eq!(findings[0].asset, first);
    assert_ne!(findings[1].asset, first);
}
