//! Maps that are begun, edited and compared, and the models that they write to.

use super::{maps, tenant};
use crate::runner::{Ended, Runner, ended};
use serde_json::{Value, json};

/// Runs `maps edit mine` with a script for an editor, which has the file as its first argument.
async fn edited(runner: &Runner, script: &str) -> Ended {
    let editor = runner.file("editor.sh", script);
    let mut command = runner.command(&["maps", "edit", "mine", "--tenant", "acme"]);
    // An argument of its own, as of `code --wait`.
    command.env("VISUAL", format!("sh '{editor}' --wait"));
    command.env("EDITOR", "false");
    command.env("TMPDIR", runner.folder.path());
    ended(command).await
}

/// The texts that are kept for whoever edited them.
fn texts(runner: &Runner) -> Vec<String> {
    let files = std::fs::read_dir(runner.folder.path()).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("mine-"))
        .collect();
    names.sort();
    names
}

async fn newest(runner: &Runner) -> (Value, String) {
    let history = maps(runner, &["history", "mine", "--json"]).await;
    let number = history.succeeded().lines()[0]["number"].clone();
    let shown = maps(runner, &["show", "mine", "--json"]).await;
    (number, shown.succeeded().out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_edited_and_checked_when_it_is_saved() {
    let runner = tenant(&["--map", "qualys-etm-scoped"]).await;
    maps(&runner, &["clone", "qualys-etm", "mine"])
        .await
        .succeeded();
    let update = [
        "update",
        "xdr",
        "--tenant",
        "acme",
        "--map",
        "endpoints=mine",
    ];
    runner.run(&update).await.succeeded();

    let good = "[ \"$1\" = --wait ] || exit 9\nsed -i 's/\"hostName\"/\"domain\"/; s/\"domain\", \"target\": \"domain\"/\"alias\", \"target\": \"hostName\"/' \"$2\"";
    let told = edited(&runner, good).await.succeeded();
    assert!(
        told.out.contains("saved: mine of tenant acme, version 2"),
        "{told:?}"
    );
    assert!(
        told.err
            .contains("connection xdr still uses version 1 for endpoints")
            && told
                .err
                .contains("host-runner update xdr --tenant acme --map endpoints=mine"),
        "{told:?}"
    );
    let (number, text) = newest(&runner).await;
    assert_eq!(number, 2);
    assert!(
        text.contains("{\"source\": \"alias\", \"target\": \"hostName\"}"),
        "{text}"
    );

    // What was not changed saves nothing, and leaves no file.
    let told = edited(&runner, "true").await.succeeded();
    assert!(told.out.contains("nothing was saved"), "{told:?}");
    assert_eq!(newest(&runner).await.0, 2);
    assert!(texts(&runner).is_empty());

    // What is wrong is told with its place and the nearest, and the text is kept.
    let bad = "sed -i 's/\"endpoint_name\"/\"endpoint_nmae\"/' \"$2\"";
    let told = edited(&runner, bad).await.failed(
        3,
        &[
            "the map `mine` has",
            "/source: ",
            "did you mean `endpoint_name`?",
            "maps import",
        ],
    );
    assert_eq!(newest(&runner).await, (json!(2), text.clone()));
    let kept = texts(&runner);
    assert_eq!(kept.len(), 1);
    assert!(told.err.contains(&kept[0]), "{told:?}");
    let path = runner.folder.path().join(&kept[0]);
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("endpoint_nmae")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Mended there, it can be imported as the message says.
    let mended = std::fs::read_to_string(&path)
        .unwrap()
        .replace("nmae", "name");
    std::fs::write(&path, mended.replace("1.0.0", "1.1.0")).unwrap();
    maps(
        &runner,
        &["import", path.to_str().unwrap(), "--name", "mine"],
    )
    .await
    .succeeded();
    assert_eq!(newest(&runner).await.0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_no_map_another_name_and_an_editor_that_fails_save_nothing() {
    let runner = tenant(&[]).await;
    maps(&runner, &["clone", "ocsf", "mine", "--stream", "alerts"])
        .await
        .succeeded();
    for (script, says) in [
        ("echo '{' > \"$2\"", "the text is no map: it isn't JSON"),
        (
            "sed -i 's/\"mine\"/\"yours\"/' \"$2\"",
            "/name: the map is `mine` and stays so",
        ),
        ("echo half > \"$2\"; exit 3", "ended with exit status: 3"),
    ] {
        let told = edited(&runner, script)
            .await
            .failed(3, &[says, "your text is in"]);
        assert!(told.out.is_empty(), "{told:?}");
    }
    edited(&runner, "exit 1").await.failed(3, &["ended with"]);
    for (script, says) in [
        ("rm \"$2\"", "the editor left no file: nothing was saved"),
        ("rm \"$2\"; exit 1", "and left no file: nothing was saved"),
    ] {
        let told = edited(&runner, script).await.failed(3, &[says]);
        assert!(!told.err.contains("your text is in"), "{told:?}");
    }
    assert_eq!(texts(&runner).len(), 3);
    assert_eq!(newest(&runner).await.0, 1);

    let mut without = runner.command(&["maps", "edit", "mine", "--tenant", "acme"]);
    without.env_remove("VISUAL").env("EDITOR", " ");
    ended(without)
        .await
        .failed(2, &["there is no editor", "EDITOR=nano"]);
    maps(&runner, &["edit", "ocsf"])
        .await
        .failed(3, &["read-only", "maps clone ocsf NEW --tenant TENANT"]);
    maps(&runner, &["edit", "yours"])
        .await
        .failed(3, &["there is no map `yours`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saves_meanwhile_is_not_overwritten() {
    let runner = tenant(&[]).await;
    maps(&runner, &["clone", "qualys-etm", "mine"])
        .await
        .succeeded();
    let text = newest(&runner).await.1;
    let other = runner.file("other.json", text.replace("1.0.0", "2.0.0"));
    let script = format!(
        "'{}' maps import '{other}' --tenant acme && sed -i 's/1.0.0/3.0.0/' \"$2\"",
        env!("CARGO_BIN_EXE_host-runner")
    );
    edited(&runner, &script).await.failed(
        3,
        &[
            "`mine` was changed meanwhile",
            "newest version is 2",
            "your text is in",
        ],
    );
    assert_eq!(newest(&runner).await.0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_can_be_begun_for_each_data_stream_and_target() {
    let runner = tenant(&[]).await;
    for stream in ["endpoints", "alerts", "vulnerabilities"] {
        for target in ["safe", "qualys-etm", "ocsf"] {
            let name = format!("{target}-{stream}");
            let new = ["new", &name, "--source", stream, "--target", target];
            let told = maps(&runner, &new).await.succeeded();
            assert!(told.out.contains("version 1"), "{told:?}");
            assert!(!told.err.contains("still to be written"), "{told:?}");
            assert!(told.err.contains(&format!("maps edit {name}")), "{told:?}");
        }
    }
    // They make the documents that the connector's maps make of the same records, with less in them.
    runner.sync().await.succeeded();
    for (stream, target) in [("endpoints", "safe"), ("alerts", "ocsf")] {
        let name = format!("{target}-{stream}");
        let preview = [
            "preview",
            &name,
            "--connection",
            "xdr",
            "--against",
            target,
            "--json",
        ];
        let report = maps(&runner, &preview).await.succeeded().json();
        let report = &report["streams"][0];
        assert!(report["records"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(report["rejected"]["records"], 0, "{report}");
        let against = &report["against"];
        assert_eq!(
            (&against["added"], &against["removed"]),
            (&json!(0), &json!(0)),
            "{against}"
        );
        for field in report["unfilled"].as_array().unwrap() {
            assert_eq!(field["needed"], false, "{field}");
        }
    }
    maps(
        &runner,
        &["new", "x", "--source", "alerst", "--target", "safe"],
    )
    .await
    .failed(3, &["no data stream `alerst`", "did you mean `alerts`?"]);
    maps(
        &runner,
        &["new", "x", "--source", "alerts", "--target", "splunk"],
    )
    .await
    .failed(3, &["no target model \"splunk\"", "safe"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_between_two_maps_is_told_by_target() {
    let runner = tenant(&[]).await;
    maps(&runner, &["clone", "qualys-etm", "mine"])
        .await
        .succeeded();
    let text = newest(&runner).await.1;
    let file = runner.file(
        "other.json",
        text.replace(
            "{\"source\": \"domain\", \"target\": \"domain\"}",
            "{\"source\": \"alias\", \"target\": \"domain\"}",
        ),
    );
    let same = maps(&runner, &["diff", "mine", "mine@1"]).await.succeeded();
    assert!(same.out.contains("there is no difference"), "{same:?}");
    let told = maps(&runner, &["diff", "mine", &file]).await.succeeded();
    assert!(
        told.out
            .contains("  changed domain\n    - from domain\n    + from alias"),
        "{told:?}"
    );
    let told = maps(&runner, &["diff", "mine", &file, "--exit-code", "--json"]).await;
    assert_eq!(told.code, Some(3));
    let told = told.json();
    assert_eq!(told["after"]["map"], file);
    let rules = &told["difference"]["rules"];
    assert_eq!(rules.as_array().unwrap().len(), 1);
    assert_eq!(rules[0]["place"], "domain");
    let bundled = [
        "maps",
        "diff",
        "safe",
        "qualys-etm",
        "--stream",
        "endpoints",
    ];
    let told = runner.run(&bundled).await.succeeded();
    assert!(told.out.contains("added externalAssetId"), "{told:?}");
    runner
        .run(&[
            "maps",
            "diff",
            "safe",
            "qualys-etn",
            "--stream",
            "endpoints",
        ])
        .await
        .failed(3, &["did you mean `qualys-etm`?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_models_are_listed_and_shown() {
    let runner = tenant(&[]).await;
    let models = runner.run(&["models", "--json"]).await.succeeded().lines();
    let names: Vec<&Value> = models.iter().map(|model| &model["name"]).collect();
    assert_eq!(names, ["safe", "qualys-etm", "ocsf"]);
    assert_eq!(models[0]["defaults"]["autoOnboardAssets"], false);
    let schema = runner
        .run(&["models", "show", "safe", "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(schema["$defs"]["asset"]["required"], json!(["externalId"]));
    let shown = runner.run(&["models", "show", "safe"]).await.succeeded();
    let line = shown
        .out
        .lines()
        .find(|line| line.starts_with("externalId"));
    assert!(line.unwrap().contains("yes"), "{shown:?}");
    let below = [
        "models",
        "show",
        "qualys-etm",
        "finding[].findingType",
        "--json",
    ];
    let rows = runner.run(&below).await.succeeded().lines();
    assert!(!rows.is_empty());
    assert!(
        rows.iter()
            .all(|row| row["path"].as_str().unwrap().contains("findingType"))
    );
    runner
        .run(&["models", "show", "safe", "externlId"])
        .await
        .failed(3, &["did you mean `externalId`?"]);
    runner
        .run(&["models", "show", "sefa"])
        .await
        .failed(3, &["no target model \"sefa\"", "did you mean safe?"]);
}
