//! Which asset a document means, and what is in doubt.

use super::*;

#[tokio::test]
async fn an_asset_of_another_connection_is_known_again_by_name_and_domain() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let ledger =
        without_onboarding(&second, "endpoints", 20, vec![machine("x1", "1", SRV_TOO)]).await;
    assert_eq!((ledger.new, ledger.parked), (1, 0));
    let assets = first.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(
        assets[0].keys,
        [
            (first.connection, "e1".to_owned()),
            (second.connection, "x1".to_owned())
        ]
    );
    assert_eq!(assets[0].body, json!({"from": "x1"}));
    assert_eq!(assets[0].created_by, Some(first.connection));
}

#[tokio::test]
async fn a_document_without_all_fields_of_a_rule_is_not_known_by_it() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let host_alone = machine("x1", "1", &[("host-name", "srv-1")]);
    let workgroup = machine(
        "x2",
        "1",
        &[("host-name", "srv-1"), ("domain", "WORKGROUP")],
    );
    let ledger = without_onboarding(&second, "endpoints", 20, vec![host_alone, workgroup]).await;
    assert_eq!(ledger.parked, 2);
}

#[tokio::test]
async fn two_ids_of_a_connection_never_become_one_asset() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    // In one step: the first that comes gets it.
    let twins = vec![machine("x1", "1", SRV), machine("x2", "1", SRV)];
    let ledger = without_onboarding(&second, "endpoints", 20, twins).await;
    assert_eq!((ledger.new, ledger.parked), (1, 1));
    // And later, also where the id that has it is gone.
    let sync = second.begin("endpoints", Mode::Incremental, 30).await;
    second
        .close(&sync, vec![closure("x1", Closing::Deleted)])
        .await;
    second.end(&sync).await;
    let ledger = without_onboarding(&second, "endpoints", 40, vec![machine("x2", "2", SRV)]).await;
    assert_eq!(ledger.parked, 1);
    let assets = first.assets().await;
    assert_eq!(assets.len(), 1);
    assert_eq!(assets[0].keys.len(), 2);
}

#[tokio::test]
async fn a_rule_that_finds_several_matches_none_and_asks_no_lower_rule() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .store
        .set_identification(&rules("external-id host-name+domain mac"))
        .await
        .unwrap();
    let third = machine("e3", "1", &[("mac", MAC)]);
    let held = vec![machine("e1", "1", SRV), machine("e2", "1", SRV_TOO), third];
    first.full("endpoints", 10, held).await;
    let asking = [SRV, &[("mac", MAC)]].concat();
    let ledger =
        without_onboarding(&second, "endpoints", 20, vec![machine("x1", "1", &asking)]).await;
    assert_eq!(ledger.parked, 1);
    let listed = first.store.ambiguous(None, None).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].key.as_str(), listed[0].parked), ("x1", true));
    assert_eq!(listed[0].rule.to_string(), "host-name+domain");
    let names: Vec<_> = listed[0].candidates.iter().map(|asset| asset.id).collect();
    assert_eq!(names, [1, 2]);
    let doubts = |bench: &Bench| {
        let (store, connection) = (bench.store.clone(), bench.connection);
        async move { store.doubts(Some(connection)).await.unwrap().ambiguous }
    };
    assert_eq!((doubts(&first).await, doubts(&second).await), (0, 1));

    // One of them is called otherwise now: that leaves one, and what waited is tried again.
    let other = machine(
        "e2",
        "2",
        &[("host-name", "other"), ("domain", "corp.example.com")],
    );
    first
        .full(
            "endpoints",
            30,
            vec![
                machine("e1", "1", SRV),
                other,
                machine("e3", "1", &[("mac", MAC)]),
            ],
        )
        .await;
    assert!(first.store.ambiguous(None, None).await.unwrap().is_empty());
    let ledger =
        without_onboarding(&second, "endpoints", 40, vec![machine("x1", "1", &asking)]).await;
    assert_eq!((ledger.unchanged, ledger.parked), (1, 0));
    let assets = first.assets().await;
    assert!(
        assets[0]
            .keys
            .contains(&(second.connection, "x1".to_owned()))
    );
}

#[tokio::test]
async fn an_ambiguous_match_that_is_onboarded_stays_listed_while_there_are_several() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full(
            "endpoints",
            10,
            vec![machine("e1", "1", SRV), machine("e2", "1", SRV)],
        )
        .await;
    second
        .full("endpoints", 20, vec![machine("x1", "1", SRV)])
        .await;
    second
        .full("endpoints", 30, vec![machine("x1", "2", SRV)])
        .await;
    assert_eq!(first.assets().await.len(), 3);
    let listed = first.store.ambiguous(None, None).await.unwrap();
    assert_eq!((listed.len(), listed[0].parked), (1, false));
    assert_eq!(listed[0].candidates.len(), 2);
    first
        .store
        .remove_connection(first.connection, Purge::Data)
        .await
        .unwrap();
    assert!(first.store.ambiguous(None, None).await.unwrap().is_empty());
}
