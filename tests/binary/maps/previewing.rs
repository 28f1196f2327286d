//! What a map would make of what is held, before anything is saved.

use super::{maps, tenant};
use serde_json::{Value, json};

fn of_stream<'r>(report: &'r Value, stream: &str) -> &'r Value {
    let streams = report["streams"].as_array().unwrap();
    streams
        .iter()
        .find(|each| each["stream"] == stream)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_the_difference_that_an_update_then_makes() {
    let runner = tenant(&["--map", "qualys-etm-scoped"]).await;
    runner.sync().await.succeeded();
    let before = runner.assets().await;
    maps(
        &runner,
        &[
            "clone",
            "qualys-etm-scoped",
            "mine",
            "--stream",
            "endpoints",
        ],
    )
    .await
    .succeeded();
    let text = maps(&runner, &["show", "mine", "--json"])
        .await
        .succeeded()
        .out;
    let mut map: Value = serde_json::from_str(&text).unwrap();
    let rules = map["rules"].as_array_mut().unwrap();
    for rule in rules.iter_mut() {
        if rule["target"] == "hostName" {
            rule["convert"] = json!("upper");
        }
    }
    rules.retain(|rule| rule["target"] != "operatingSystem.version");
    let file = runner.file("mine.json", map.to_string());

    let preview = [
        "preview",
        &file,
        "--connection",
        "xdr",
        "--stream",
        "endpoints",
    ];
    let told = maps(&runner, &[&preview[..], &["--json"]].concat()).await;
    let report = told.succeeded().json();
    let endpoints = of_stream(&report, "endpoints");
    assert_eq!(endpoints["records"], before.len());
    assert_eq!(endpoints["documents"]["assets"], before.len());
    assert_eq!(endpoints["rejected"]["records"], 0);
    let against = &endpoints["against"];
    assert_eq!(
        against["map"],
        "qualys-etm-scoped, which connection xdr uses"
    );
    assert_eq!(
        (&against["added"], &against["removed"]),
        (&json!(0), &json!(0))
    );
    let paths = against["paths"].as_array().unwrap();
    let change = |path: &str| paths.iter().find(|each| each["path"] == path).unwrap();
    assert_eq!(paths.len(), 2, "{paths:#?}");
    let names = change("hostName");
    let example = &names["example"];
    let old = example["before"][0].as_str().unwrap();
    assert_eq!(example["after"][0], old.to_uppercase());
    let versions = change("operatingSystem.version");
    assert_eq!(
        (&versions["changed"], &versions["added"]),
        (&json!(0), &json!(0))
    );
    let unread = endpoints["unread"].as_array().unwrap();
    let of = |path: &str| unread.iter().find(|field| field["path"] == path);
    assert!(of("os_version").unwrap()["records"].as_u64().unwrap() > 0);
    assert!(of("endpoint_name").is_none() && of("endpoint_id").is_none());
    let unfilled = endpoints["unfilled"].as_array().unwrap();
    assert!(
        unfilled
            .iter()
            .any(|field| field["path"] == "operatingSystem.version")
    );
    assert!(unfilled.iter().all(|field| field["path"] != "hostName"));
    // Nothing was saved, and nothing changed.
    assert_eq!(runner.assets().await, before);

    let shown = maps(&runner, &preview).await.succeeded();
    for part in [
        "Source fields that the map does not read",
        "Against qualys-etm-scoped",
        "hostName",
    ] {
        assert!(shown.out.contains(part), "{shown:?}");
    }

    // With the update, the documents differ in just that.
    let update = format!("endpoints={file}");
    let update = ["update", "xdr", "--tenant", "acme", "--map", &update];
    runner.run(&update).await.succeeded();
    runner.sync().await.succeeded();
    let renamed = runner.assets().await;
    let named = |assets: &[Value]| -> u64 {
        let with = assets
            .iter()
            .filter(|asset| asset.get("hostName").is_some());
        with.count() as u64
    };
    let upper = renamed.iter().filter(|asset| {
        let name = asset["hostName"].as_str().unwrap_or_default();
        !name.is_empty() && name == name.to_uppercase()
    });
    assert_eq!(upper.count() as u64, named(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_file_are_previewed_without_a_tenant_and_their_problems_told_by_place() {
    let runner = tenant(&[]).await;
    let records = [
        json!({"endpoint_id": "e-1", "endpoint_name": "web-1", "allIPs": [], "first_seen": 17, "odd": {"\u{1b}[31m": 1}, "tags": {}}),
        json!({"endpoint_id": "e-2", "endpoint_name": "web-2", "allIPs": ["10.0.0.1"], "first_seen": 18, "tags": {}}),
        json!({"endpoint_name": "web-3", "allIPs": [], "tags": {}}),
    ];
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    let file = runner.file("records.ndjson", lines);
    let preview = [
        "maps",
        "preview",
        "safe",
        "--file",
        &file,
        "--stream",
        "endpoints",
    ];
    let report = runner
        .run(&[&preview[..], &["--json"]].concat())
        .await
        .succeeded()
        .json();
    let endpoints = of_stream(&report, "endpoints");
    assert_eq!(
        (&endpoints["records"], &endpoints["documents"]["assets"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(endpoints["rejected"]["records"], 1);
    let reason = &endpoints["rejected"]["reasons"][0];
    assert_eq!(reason["example"]["record"], "line-3");
    let problem = &endpoints["problems"][0];
    assert_eq!(
        (&problem["place"], &problem["records"]),
        (&json!("first_seen"), &json!(2))
    );
    assert_eq!(endpoints["against"], Value::Null);
    let shown = runner.run(&preview).await.succeeded();
    assert!(
        !shown.out.contains('\u{1b}') && shown.out.contains("first_seen"),
        "{shown:?}"
    );

    let against = [
        &preview[..],
        &["--against", "ocsf", "--limit", "1", "--json"],
    ]
    .concat();
    let report = runner.run(&against).await.succeeded().json();
    let endpoints = of_stream(&report, "endpoints");
    assert_eq!(endpoints["records"], 1);
    assert_eq!(endpoints["against"]["differ"], 1);
    runner
        .run(&["maps", "preview", "safe", "--file", &file])
        .await
        .failed(2, &["of which are the records?", "--stream"]);
    let none = [&preview[..], &["--limit", "0"]].concat();
    let refused = runner.run(&none).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_no_record_is_told_and_counted_and_the_others_are_previewed() {
    let runner = tenant(&[]).await;
    let of = |records: &str| {
        let map = ["maps", "preview", "qualys-etm", "--file", records];
        [&map[..], &["--stream", "endpoints"]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    // An editor's mark before the first record is no fault of it.
    let record = |id: &str| json!({"endpoint_id": id, "allIPs": [], "tags": {}});
    let lines = format!(
        "\u{feff}{}\nnone\n\n[1]\n{}\n",
        record("e-1"),
        record("e-2")
    );
    let preview = of(&runner.file("broken.ndjson", lines));
    let mut preview: Vec<&str> = preview.iter().map(String::as_str).collect();
    let shown = runner.run(&preview).await;
    assert_eq!(shown.code, Some(3), "{shown:?}");
    for told in ["line 2: it isn't JSON", "line 4: it is JSON, but no object"] {
        assert!(shown.err.contains(told), "{shown:?}");
    }
    assert!(
        shown.out.contains("2 lines of the file left out"),
        "{shown:?}"
    );
    preview.push("--json");
    let told = runner.run(&preview).await;
    assert_eq!(told.code, Some(3), "{told:?}");
    let report = told.json();
    let endpoints = of_stream(&report, "endpoints");
    assert_eq!(
        (&endpoints["records"], &endpoints["badLines"]),
        (&json!(2), &json!(2))
    );
    let problems: Vec<Value> = told
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(problems[1]["problem"]["line"], 4, "{problems:?}");

    let preview = of(&runner.file("empty.ndjson", "\n"));
    let preview: Vec<&str> = preview.iter().map(String::as_str).collect();
    let shown = runner.run(&preview).await.succeeded();
    assert!(shown.out.contains("The file is empty"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn transform_prints_documents_as_the_platform_would_show_them_and_knows_own_maps() {
    let runner = tenant(&[]).await;
    maps(&runner, &["clone", "safe", "mine", "--stream", "endpoints"])
        .await
        .succeeded();
    let transform = |more: &'static [&'static str]| {
        let runner = &runner;
        async move {
            let record = json!({"endpoint_id": "e-1", "allIPs": [], "tags": {}});
            let arguments = [&["transform", "--stream", "endpoints"], more].concat();
            let mut command = runner.command(&arguments);
            let file = runner.file("one.ndjson", record.to_string());
            command.stdin(std::fs::File::open(file).unwrap());
            crate::runner::ended(command).await
        }
    };
    let told = transform(&["--map", "mine", "--tenant", "acme"])
        .await
        .succeeded();
    let document = told.json();
    assert_eq!(document["externalId"], "e-1");
    assert_eq!(document["firstSeen"], document["lastSeen"]);
    assert!(document["firstSeen"].is_string(), "{document}");
    let open = transform(&["--map", "safe", "--json"])
        .await
        .succeeded()
        .json();
    assert!(open["body"].get("firstSeen").is_none());
    assert!(!open["placeholders"].as_array().unwrap().is_empty());
    transform(&["--map", "mine"]).await.failed(3, &["`mine`"]);
    // What nobody named is told: another map than the one of that name.
    let told = transform(&["--map", "safe"]).await.succeeded();
    assert!(told.err.is_empty(), "{told:?}");
    let file = runner.file("alert.ndjson", "{\"alert_id\": \"7\"}\n");
    let named = ["transform", "--map", "qualys-etm", "--stream", "alerts"];
    let mut command = runner.command(&named);
    command.stdin(std::fs::File::open(file).unwrap());
    let told = crate::runner::ended(command).await;
    assert!(
        told.err
            .contains("of its maps `qualys-etm-scoped` is taken, which is for alerts"),
        "{told:?}"
    );
}
