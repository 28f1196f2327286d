//! Files from before identification had rules.

use super::*;
use crate::store::sqlite::Stores;

/// What the schema was before: what identifies an asset stood in one list without its source, nothing was indexed, and nothing said what it waits for.
const AS_BEFORE: &str = "
    UPDATE assets SET identity = (SELECT json_group_array(json_array(j.value ->> 0, j.value ->> 1)) FROM json_each(identity) AS j);
    DROP TABLE identification; DROP TABLE asset_keys; DROP TABLE waiting; DROP TABLE imported; DROP TABLE ambiguous; DROP TABLE duplicates;
    ALTER TABLE assets DROP COLUMN nests;
    PRAGMA user_version = 5";

async fn identities(bench: &Bench) -> Vec<String> {
    sqlx::query_scalar("SELECT identity FROM assets ORDER BY id")
        .fetch_all(&bench.store.inner.readers)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_older_file_keeps_its_assets_finds_them_by_the_rules_and_asks_for_what_waits_again() {
    let mut bench = Bench::new().await;
    bench
        .full(
            "endpoints",
            10,
            vec![machine("e1", "1", SRV), endpoint("e2", "1")],
        )
        .await;
    let elsewhere = stray(
        "a1",
        &[("host-name", "elsewhere"), ("domain", "corp.example.com")],
    );
    read_alerts(&bench, 20, vec![elsewhere.clone()]).await;
    let (assets, said) = (bench.assets().await, identities(&bench).await);

    sqlx::raw_sql(AS_BEFORE)
        .execute(&bench.store.inner.writer)
        .await
        .unwrap();
    bench.store.inner.writer.close().await;
    bench.store.inner.readers.close().await;
    bench.store = Stores::new(bench.folder.path())
        .open(&tenant())
        .await
        .unwrap();

    assert_eq!(identities(&bench).await, said);
    assert_eq!(bench.assets().await, assets);
    expect_exact_keys(&bench).await;
    let second = bench.beside("second").await;
    without_onboarding(&second, "endpoints", 30, vec![machine("x1", "1", SRV_TOO)]).await;
    assert_eq!(second.assets().await.len(), 2);
    // It is made anew once more, and waits from then on.
    let due = async |made_with: &str| {
        let stream = stream("alerts");
        let query = DueRecords {
            connection: bench.connection,
            stream: &stream,
            made_with,
            after: 0,
            limit: 10,
        };
        bench.store.due(&query).await.unwrap().records
    };
    assert_eq!(due("map-1").await, 1);
    read_alerts(&bench, 40, vec![elsewhere]).await;
    assert_eq!(due("map-1").await, 0);
    let third = bench.beside("third").await;
    let new = machine(
        "y1",
        "1",
        &[("host-name", "elsewhere"), ("domain", "corp.example.com")],
    );
    third.full("endpoints", 50, vec![new]).await;
    assert_eq!(due("map-1").await, 1);
}
