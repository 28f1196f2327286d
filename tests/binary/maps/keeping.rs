//! Maps that a tenant has of its own: saved, used, listed, removed.

use super::{maps, tenant};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_cloned_exported_changed_imported_and_used() {
    let runner = tenant(&["--map", "qualys-etm-scoped"]).await;
    let told = maps(&runner, &["clone", "qualys-etm", "mine"]).await;
    let told = told.succeeded();
    assert!(
        told.out.contains("saved: mine of tenant acme, version 1"),
        "{told:?}"
    );
    let file = runner.folder.path().join("mine.json");
    let path = file.to_str().unwrap();
    maps(&runner, &["export", "mine", path]).await.succeeded();
    let text = std::fs::read_to_string(&file).unwrap();
    let shown = maps(&runner, &["show", "mine", "--json"]).await.succeeded();
    assert_eq!(shown.out, text);
    maps(&runner, &["export", "mine", path])
        .await
        .failed(3, &["mine.json", "--overwrite"]);

    // The same text again saves nothing; another one is a new version.
    let same = maps(&runner, &["import", path, "--json"]).await.succeeded();
    assert_eq!(
        (same.json()["saved"].clone(), same.json()["number"].clone()),
        (json!(false), json!(1))
    );
    let mut changed: Value = serde_json::from_str(&text).unwrap();
    changed["title"] = json!("Ours");
    std::fs::write(&file, format!("{changed}\n")).unwrap();
    let saved = maps(&runner, &["import", path, "--json"]).await.succeeded();
    assert_eq!(saved.json()["number"], 2);
    let shown = maps(&runner, &["show", "mine", "--json"]).await.succeeded();
    assert_eq!(shown.out, format!("{changed}\n"));
    let old = maps(&runner, &["show", "mine", "--version", "1", "--json"]).await;
    assert_eq!(old.succeeded().out, text);

    // All data streams that it takes, and its target for the rest.
    let update = [
        "update", "xdr", "--tenant", "acme", "--map", "mine", "--json",
    ];
    let updated = runner.run(&update).await.succeeded().json();
    let used = &updated["connection"]["maps"];
    assert_eq!(used["endpoints"]["name"], "mine");
    assert_eq!(used["endpoints"]["number"], 2);
    assert_eq!(used["endpoints"]["sha256"], saved.json()["sha256"]);
    assert_eq!(used["alerts"]["name"], "qualys-etm-scoped");
    let one = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--map",
        "endpoints=mine@1",
    ];
    runner.run(&one).await.succeeded();

    let listed = maps(&runner, &["list", "--json"]).await.succeeded().lines();
    let mine = listed.iter().find(|map| map["name"] == "mine").unwrap();
    assert_eq!(mine["kind"], "own");
    assert_eq!(mine["number"], 2);
    assert_eq!(mine["usedBy"][0]["number"], 1);
    let behind = maps(&runner, &["import", path, "--name", "mine"])
        .await
        .succeeded();
    assert!(
        behind
            .err
            .contains("host-runner update xdr --tenant acme --map endpoints=mine"),
        "{behind:?}"
    );
    let history = maps(&runner, &["history", "mine", "--json"])
        .await
        .succeeded()
        .lines();
    let numbers: Vec<&Value> = history.iter().map(|version| &version["number"]).collect();
    assert_eq!(numbers, [2, 1]);
    maps(&runner, &["remove", "mine"])
        .await
        .failed(3, &["connection xdr for endpoints", "--map"]);

    // Runs say what they used; then another map takes its place, and it can go.
    runner.sync().await.succeeded();
    let runs = runner.run(&["runs", "--tenant", "acme", "--json"]).await;
    let runs = runs.succeeded().lines();
    let run = runs
        .iter()
        .find(|run| run["stream"] == "endpoints")
        .unwrap();
    assert_eq!(run["map"]["name"], "mine");
    assert_eq!(run["map"]["number"], 1);
    assert_eq!(run["map"]["sha256"], history[1]["sha256"]);
    let id = run["id"].to_string();
    let shown = runner.run(&["runs", "show", &id, "--tenant", "acme"]).await;
    assert!(
        shown
            .succeeded()
            .out
            .contains("mine, saved version 1 (1.0.0), SHA-256")
    );
    let other = ["update", "xdr", "--tenant", "acme", "--map", "qualys-etm"];
    runner.run(&other).await.succeeded();
    // Whatever version is named, all would go: so none is.
    for verb in ["remove", "history"] {
        for named in ["mine@1", "mine@2", "qualys-etm@1"] {
            let says = "names one version, and a map is";
            maps(&runner, &[verb, named])
                .await
                .failed(3, &[named, says, "name it without @"]);
        }
    }
    maps(&runner, &["remove", "mine"]).await.succeeded();
    maps(&runner, &["show", "mine"])
        .await
        .failed(3, &["there is no map `mine`", "qualys-etm"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_told_with_all_that_is_wrong_and_saved_nowhere() {
    let runner = tenant(&[]).await;
    let wrong = runner.file(
        "wrong.json",
        r#"{"name": "wrong", "version": "1.0", "source": ["endpoints", "vulnerabilites"], "target": "saef", "asset": {"key": "endpoint_id"},
            "rules": [{"source": "endpoint_nmae", "target": "name", "requierd": true}]}"#,
    );
    let says = [
        "/source: the connector has no data stream `vulnerabilites`; did you mean `vulnerabilities`?",
        "/target: there is no target model `saef`; did you mean `safe`?",
        "/rules/0/requierd",
        "did you mean `required`?",
        "/rules/0/source",
        "did you mean `endpoint_name`?",
    ];
    runner
        .run(&["maps", "check", &wrong])
        .await
        .failed(3, &says);
    let told = runner.run(&["maps", "check", &wrong, "--json"]).await;
    assert_eq!(told.code, Some(3));
    assert_eq!(told.json()["valid"], false);
    assert_eq!(
        told.json()["problems"].as_array().unwrap().len(),
        4,
        "{told:?}"
    );
    maps(&runner, &["import", &wrong]).await.failed(3, &says);
    let listed = maps(&runner, &["list", "--json"]).await.succeeded().lines();
    assert!(listed.iter().all(|map| map["kind"] == "bundled"));

    let text = runner.file("text.json", "{\n  \"name\": mine\n}");
    runner
        .run(&["maps", "check", &text])
        .await
        .failed(3, &["text.json", "line 2, column 11"]);
    runner
        .run(&["maps", "check", "nowhere.json"])
        .await
        .failed(3, &["nowhere.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connectors_maps_and_targets_can_be_neither_changed_nor_replaced() {
    let runner = tenant(&[]).await;
    let bundled = runner
        .run(&["maps", "export", "safe", "--stream", "alerts"])
        .await;
    let file = runner.file("safe.json", bundled.succeeded().out);
    let checked = runner.run(&["maps", "check", &file]).await.succeeded();
    assert!(
        checked.out.contains("findings from alerts for safe"),
        "{checked:?}"
    );
    maps(&runner, &["import", &file])
        .await
        .failed(3, &["can't be named `safe`"]);
    maps(&runner, &["clone", "safe", "ocsf", "--stream", "alerts"])
        .await
        .failed(3, &["can't be named `ocsf`"]);
    maps(&runner, &["remove", "safe"])
        .await
        .failed(3, &["read-only"]);
    maps(&runner, &["clone", "safe", "mine"]).await.failed(
        3,
        &[
            "one for endpoints and vulnerabilities",
            "one for alerts",
            "--stream",
        ],
    );
    maps(&runner, &["import", &file, "--name", "My Map"])
        .await
        .failed(3, &["My Map"]);
    let kept = maps(&runner, &["import", &file, "--name", "mine", "--json"]).await;
    kept.succeeded();
    let shown = maps(&runner, &["show", "mine", "--json"]).await.succeeded();
    assert_eq!(shown.json()["name"], "mine");
    maps(&runner, &["clone", "safe", "mine", "--stream", "alerts"])
        .await
        .failed(3, &["the tenant has a map of that name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_means_nothing_is_answered_with_the_nearest() {
    let runner = tenant(&[]).await;
    maps(&runner, &["clone", "qualys-etm", "mine"])
        .await
        .succeeded();
    maps(&runner, &["show", "mien"])
        .await
        .failed(3, &["did you mean `mine`?"]);
    let update = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--map",
        "endpoints=mnie",
    ];
    runner
        .run(&update)
        .await
        .failed(3, &["did you mean `mine`?", "`host-runner maps`"]);
    maps(&runner, &["show", "mine@7"])
        .await
        .failed(3, &["no version 7"]);
    let other_streams = [
        "the map `qualys-etm` is for endpoints",
        "not for the data stream `alerts`",
        "qualys-etm-scoped",
    ];
    for command in [
        &["clone", "qualys-etm", "new", "--stream", "alerts"][..],
        &[
            "diff",
            "qualys-etm",
            "qualys-etm-scoped",
            "--stream",
            "alerts",
        ],
    ] {
        maps(&runner, command).await.failed(3, &other_streams);
    }
    maps(&runner, &["show", "safe", "--stream", "nosuch"])
        .await
        .failed(3, &["no data stream `nosuch`", "endpoints"]);
    let other = runner.run(&["maps", "list", "--tenant", "other"]).await;
    other.failed(3, &["no tenant \"other\""]);
}
