//! What a purged connection leaves.

use super::*;

#[tokio::test]
async fn a_purged_connection_takes_its_word_with_it() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    let third = first.beside("third").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    let known = machine("x1", "1", &[SRV, &[("external-id", "e1")]].concat());
    second.full("endpoints", 20, vec![known]).await;
    without_onboarding(&third, "alerts", 25, vec![stray("a1", SRV)]).await;
    assert_eq!(first.assets().await.len(), 1);
    first
        .store
        .remove_connection(first.connection, Purge::Data)
        .await
        .unwrap();
    expect_exact_keys(&second).await;
    let assets = second.assets().await;
    assert_eq!((assets.len(), assets[0].state), (1, AssetState::Active));
    assert_eq!(third.findings().await[0].asset, Some(1));

    second
        .store
        .remove_connection(second.connection, Purge::Data)
        .await
        .unwrap();
    expect_exact_keys(&third).await;
    let assets = third.assets().await;
    assert_eq!((assets.len(), assets[0].state), (1, AssetState::Inactive));
}

#[tokio::test]
async fn findings_of_others_on_an_asset_that_is_purged_wait_again() {
    let first = Bench::new().await;
    let second = first.beside("second").await;
    first
        .full("endpoints", 10, vec![machine("e1", "1", SRV)])
        .await;
    second.full("alerts", 20, vec![stray("a1", SRV)]).await;
    first
        .store
        .remove_connection(first.connection, Purge::Data)
        .await
        .unwrap();
    assert!(second.assets().await.is_empty());
    assert!(second.record("alerts", "a1").await.unwrap().parked);
    let third = first.beside("third").await;
    third
        .full("endpoints", 30, vec![machine("y1", "1", SRV)])
        .await;
    let ledger = read_alerts(&second, 40, vec![stray("a1", SRV)]).await;
    assert_eq!(ledger.parked, 0);
    assert_eq!(
        second.findings().await[0].asset,
        Some(second.assets().await[0].id)
    );
}
