//! Whose asset it is, as a person types it: imports, the switches, rules of identification, custom fields and what is in doubt.

use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::{EndpointView, Options};
use serde_json::{Value, json};

const TENANT: [&str; 2] = ["--tenant", "acme"];

async fn runner() -> Runner {
    Runner::new(Options {
        endpoints: 40,
        alerts: 80,
        cves: 10,
        ..Options::default()
    })
    .await
}

/// An endpoint that the configuration lets in.
fn endpoints(runner: &Runner) -> Vec<EndpointView> {
    let mut endpoints = runner.simulator.tenant().endpoints();
    endpoints.retain(|endpoint| endpoint.status != "UNINSTALLED");
    endpoints
}

async fn with_tenant(runner: &Runner, arguments: &[&str]) -> Ended {
    runner.run(&[arguments, &TENANT].concat()).await
}

async fn import(runner: &Runner, rows: &[Value], more: &[&str]) -> Ended {
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    let file = runner.file("rows.ndjson", text.join("\n"));
    let arguments = ["assets", "import", &file, "--source", "cmdb.example"];
    with_tenant(runner, &[&arguments[..], more].concat()).await
}

/// All assets, each in its envelope.
async fn envelopes(runner: &Runner) -> Vec<Value> {
    with_tenant(runner, &["assets", "--json", "--history"])
        .await
        .succeeded()
        .lines()
}

fn of<'a>(envelopes: &'a [Value], key: &str) -> Option<&'a Value> {
    envelopes.iter().find(|envelope| {
        let keys = envelope["keys"].as_array().unwrap();
        keys.iter().any(|each| each == key)
    })
}

fn number(document: &Value, name: &str) -> u64 {
    document[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {document}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_attaches_to_what_is_imported_and_importing_again_doubles_nothing() {
    let runner = runner().await;
    runner
        .connect(json!({"autoOnboardAssets": false}))
        .await
        .succeeded();
    let synced = runner.sync().await.succeeded().json();
    assert!(runner.assets().await.is_empty());
    assert!(number(&synced["runs"][0]["ledger"], "parked") > 0);

    let endpoints = endpoints(&runner);
    let half = endpoints.len() / 2;
    let mut rows: Vec<Value> = endpoints[..half]
        .iter()
        .map(|endpoint| json!({"externalId": endpoint.id, "asset": {"owner": "ops"}, "colour": "red"}))
        .collect();
    rows.insert(1, json!({"hostName": "localhost"}));
    let imported = import(&runner, &rows, &[]).await;
    assert_eq!(imported.code, Some(3), "{imported:?}");
    assert!(
        imported.err.contains("line 2: nothing in it identifies"),
        "{imported:?}"
    );
    assert!(
        imported.out.contains("\"colour\" says nothing here"),
        "{imported:?}"
    );
    assert!(
        imported.out.contains(&format!("{half} assets created")),
        "{imported:?}"
    );

    // At once, from what is kept, without a request; the next sync changes nothing of it.
    assert!(
        imported.out.contains("documents of endpoints made anew"),
        "{imported:?}"
    );
    let at_once = envelopes(&runner).await;
    assert_eq!(at_once.len(), half);
    assert!(
        at_once
            .iter()
            .all(|asset| !asset["keys"].as_array().unwrap().is_empty())
    );
    runner.sync().await.succeeded();
    let assets = envelopes(&runner).await;
    assert_eq!(assets.len(), half);
    for endpoint in &endpoints[..half] {
        let asset = of(&assets, &endpoint.id).expect("it is linked");
        assert_eq!(asset["onboardingSource"], "cmdb.example");
        assert_eq!(asset["document"]["name"], endpoint.name.as_str());
        assert_eq!(asset["document"]["owner"], "ops");
        assert_eq!(asset["document"]["onboardingSource"], "cmdb.example");
    }
    let on_them = runner.findings().await;
    assert!(!on_them.is_empty());

    rows.remove(1);
    let again = import(&runner, &rows, &["--json"]).await.succeeded().json();
    assert_eq!(number(&again, "known"), half as u64);
    assert_eq!(
        (number(&again, "created"), number(&again, "filled")),
        (0, 0)
    );
    assert_eq!(envelopes(&runner).await, assets);

    // What a tenant holds is what another may be given.
    let copy: Vec<String> = assets.iter().map(Value::to_string).collect();
    let copy = runner.file("copy.json", format!("[{}]", copy.join(",\n")));
    let again = ["assets", "import", &copy, "--source", "copy", "--json"];
    let again = with_tenant(&runner, &again).await.succeeded().json();
    assert_eq!(number(&again, "linked"), half as u64);
    assert_eq!(again["unknownNames"], json!([]));
    assert_eq!(envelopes(&runner).await.len(), half);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cell_of_the_table_of_switches_holds_for_an_asset_that_was_imported() {
    for (update, onboard) in [(true, false), (true, true), (false, false), (false, true)] {
        let runner = runner().await;
        runner
            .connect(json!({"updateExistingAssets": update, "autoOnboardAssets": onboard}))
            .await
            .succeeded();
        let known = &endpoints(&runner)[0];
        let row = json!({"externalId": known.id, "asset": {"name": "as it was", "owner": "ops"}});
        import(&runner, &[row], &[]).await.succeeded();
        let fields = ["custom-fields", "add", "cortexXdr-tags"];
        with_tenant(&runner, &fields).await.succeeded();
        runner.sync().await.succeeded();

        let assets = envelopes(&runner).await;
        let asset = of(&assets, &known.id).unwrap();
        let name = if update {
            known.name.as_str()
        } else {
            "as it was"
        };
        assert_eq!(asset["document"]["name"], name, "update {update}");
        assert_eq!(asset["document"]["owner"], "ops");
        assert_eq!(asset["onboardingSource"], "cmdb.example");
        assert_ne!(asset["lastSeen"], asset["firstSeen"]);
        let tags = &asset["document"]["customFields"]["cortexXdr-tags"];
        assert!(tags.is_array() || known.endpoint_tags.is_empty(), "{asset}");
        assert_eq!(assets.len() > 1, onboard, "onboard {onboard}");

        let named = ["status", "xdr", "--json"];
        let status = with_tenant(&runner, &named).await.succeeded().json();
        let policy = &status["connection"]["policy"];
        assert_eq!(
            policy["updateExistingAssets"],
            json!({"on": update, "chosen": true})
        );
        assert_eq!(
            policy["autoOnboardAssets"],
            json!({"on": onboard, "chosen": true})
        );
        let parked = number(&status["held"]["streams"][0], "recordsParked");
        assert_eq!(parked == 0, onboard);
        assert_eq!(status["customFields"], json!(["cortexXdr-tags"]));

        // The endpoint goes: its findings close, and the asset stays, because something else knows it.
        runner.simulator.tenant().remove_endpoint(&known.id);
        let full = [
            "sync",
            "xdr",
            "--mode",
            "full",
            "--confirm-removals",
            "--requests-per-second",
            "unlimited",
        ];
        with_tenant(&runner, &full).await.succeeded();
        let assets = envelopes(&runner).await;
        let asset = of(&assets, &known.id).unwrap();
        assert_eq!(asset["state"], "active");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_identification_are_shown_changed_and_reset() {
    let runner = runner().await;
    runner
        .connect(json!({"autoOnboardAssets": false}))
        .await
        .succeeded();
    runner.sync().await.succeeded();
    let shown = with_tenant(&runner, &["identification"]).await.succeeded();
    let list = with_tenant(&runner, &["identification", "list"]).await;
    assert_eq!(shown.out, list.succeeded().out);
    assert!(shown.out.contains("host-name+domain"), "{shown:?}");
    let shown = with_tenant(&runner, &["identification", "--json"]).await;
    assert_eq!(
        shown.succeeded().json(),
        json!({"rules": ["external-id", "host-name+domain"], "off": ["mac", "ip"], "default": true})
    );
    let wrong = ["identification", "set", "external-id", "hostnam"];
    with_tenant(&runner, &wrong).await.failed(
        2,
        &[
            "did you mean \"host-name\"?",
            "external-id, host-name, domain, mac, ip",
        ],
    );
    let set = ["identification", "set", "mac", "domain+hostName", "--json"];
    let set = with_tenant(&runner, &set).await.succeeded().json();
    assert_eq!(set["rules"], json!(["mac", "host-name+domain"]));
    assert_eq!(set["changed"], true);
    assert_eq!(set["triedAgain"][0]["connection"], "xdr");
    assert!(number(&set["triedAgain"][0], "records") > 0);
    let reset = with_tenant(&runner, &["identification", "reset"])
        .await
        .succeeded();
    assert!(reset.out.contains("tried again"), "{reset:?}");
    let reset = with_tenant(&runner, &["identification", "reset"])
        .await
        .succeeded();
    assert!(reset.out.starts_with("nothing changed"), "{reset:?}");
    let nobody = runner.run(&["identification"]).await;
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_keys_are_changed_together_or_not_at_all() {
    let runner = runner().await;
    runner.connect(json!({})).await.succeeded();
    let set = ["identification", "set", "mac", "--tenant", "acme"];
    let mut killed = runner.command(&set);
    killed.env("HOST_RUNNER_KILL_AT", "rules-written");
    assert_eq!(crate::runner::ended(killed).await.code, None);
    let shown = with_tenant(&runner, &["identification", "--json"]).await;
    assert_eq!(shown.succeeded().json()["default"], true);
    runner.run(&set).await.succeeded();
    let shown = with_tenant(&runner, &["identification", "--json"]).await;
    assert_eq!(shown.succeeded().json()["rules"], json!(["mac"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_fits_several_assets_is_told_and_loaded_as_none() {
    let runner = runner().await;
    runner.connect(json!({})).await.succeeded();
    let twins = json!({"hostName": "twin", "domain": "corp.example.com"});
    let with_id = |id: &str| {
        let mut row = twins.clone();
        row["externalId"] = json!(id);
        row
    };
    import(&runner, &[with_id("a"), with_id("b")], &[])
        .await
        .succeeded();
    let file = runner.file("twin.ndjson", twins.to_string());
    let other = ["assets", "import", &file, "--source", "other", "--json"];
    let other = with_tenant(&runner, &other).await;
    assert_eq!(other.code, Some(3), "{other:?}");
    let told = other.json();
    assert_eq!(told["badRows"][0]["line"], 1);
    assert!(
        told["badRows"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("2 assets fit it by host-name+domain"),
        "{told}"
    );
    for list in ["ambiguous", "duplicates"] {
        let listed = with_tenant(&runner, &["assets", list, "--json"])
            .await
            .succeeded();
        assert!(listed.lines().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_installed_again_is_another_asset_and_shown_as_a_probable_duplicate() {
    let runner = runner().await;
    runner
        .connect(json!({"autoOnboardAssets": true}))
        .await
        .succeeded();
    runner.sync().await.succeeded();
    let tenant = runner.simulator.tenant();
    let assets = runner.assets().await;
    let has_mac = |id: &str| {
        let asset = assets.iter().find(|asset| asset["externalId"] == id);
        asset.is_some_and(|asset| asset["macAddresses"].is_array())
    };
    let endpoints = endpoints(&runner);
    let old = endpoints
        .iter()
        .find(|endpoint| endpoint.status == "CONNECTED" && has_mac(&endpoint.id))
        .unwrap();
    let new = tenant.reinstall_endpoint(&old.id).unwrap();
    assert_ne!(new, old.id);
    runner.sync().await.succeeded();

    let after = runner.assets().await;
    assert_eq!(after.len(), assets.len() + 1);
    let named: Vec<&Value> = after
        .iter()
        .filter(|asset| asset["name"] == old.name.as_str())
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert_eq!(named[0]["macAddresses"], named[1]["macAddresses"]);
    let listed = with_tenant(&runner, &["assets", "duplicates", "--json"]).await;
    let pairs = listed.succeeded().lines();
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    assert_eq!(pairs[0]["earlier"]["id"], old.id.as_str());
    assert_eq!(pairs[0]["later"]["id"], new.as_str());
    let table = with_tenant(&runner, &["assets", "duplicates"]).await;
    let table = table.succeeded().out;
    for text in [&old.id, &new, &old.name] {
        assert!(table.contains(text.as_str()), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_attaches_as_soon_as_another_connection_brings_its_asset() {
    let runner = runner().await;
    runner
        .connect(json!({"autoOnboardAssets": false}))
        .await
        .succeeded();
    runner.sync().await.succeeded();
    assert!(runner.assets().await.is_empty() && runner.findings().await.is_empty());
    let config = runner.config(json!({"dataStreams": ["endpoints"]}));
    let connect = ["connect", "second", "--config", &config, "--map"];
    let secret = ["qualys-etm", "--secret", "apiKey=env:SIMULATOR_KEY"];
    let arguments = [&connect[..], &secret, &["--allow-loopback"]].concat();
    with_tenant(&runner, &arguments).await.succeeded();
    let sync = ["sync", "second", "--requests-per-second", "unlimited"];
    let synced = with_tenant(&runner, &sync).await.succeeded();
    assert!(
        synced
            .out
            .contains("connection xdr: documents of alerts made anew"),
        "{synced:?}"
    );
    assert!(!runner.findings().await.is_empty());
    for asset in envelopes(&runner).await {
        let keys = asset["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "of both connections: {asset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_added_listed_and_removed_and_a_near_miss_is_told() {
    let runner = runner().await;
    runner.connect(json!({})).await.succeeded();
    let near = with_tenant(&runner, &["custom-fields", "add", "cortexxdr-tags"])
        .await
        .succeeded();
    assert!(
        near.err.contains("a map asks for cortexXdr-tags"),
        "{near:?}"
    );
    let status = with_tenant(&runner, &["status", "xdr"]).await.succeeded();
    assert!(
        status
            .out
            .contains("there is cortexxdr-tags, which is not the same to the letter"),
        "{status:?}"
    );
    runner.sync().await.succeeded();
    let tagged = |assets: &[Value]| {
        let tags = |asset: &&Value| asset["customFields"].get("cortexXdr-tags").is_some();
        assets.iter().filter(tags).count()
    };
    assert_eq!(tagged(&runner.assets().await), 0);

    with_tenant(&runner, &["custom-fields", "remove", "cortexxdr-tags"])
        .await
        .succeeded();
    let added = with_tenant(&runner, &["custom-fields", "add", "cortexXdr-tags"])
        .await
        .succeeded();
    assert!(added.out.contains("the next sync fills it"), "{added:?}");
    let listed = with_tenant(&runner, &["custom-fields", "list", "--json"]).await;
    assert_eq!(
        listed.succeeded().json(),
        json!({"customFields": ["cortexXdr-tags"], "askedForAndMissing": []})
    );
    let to_remake = async || {
        let status = with_tenant(&runner, &["status", "xdr"]).await;
        let status = status.succeeded().out;
        let line = status
            .lines()
            .find(|line| line.contains("makes anew first"));
        line.map(|line| line.trim().to_owned())
    };
    let told = to_remake().await.unwrap();
    assert!(told.contains("endpoints: the documents of "), "{told}");
    runner.sync().await.succeeded();
    assert_eq!(to_remake().await, None);
    let assets = runner.assets().await;
    assert!(tagged(&assets) > assets.len() / 2);
    let gone = with_tenant(&runner, &["custom-fields", "remove", "nope"]).await;
    assert_eq!(gone.code, Some(3), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_told_and_leaves_nothing() {
    let runner = runner().await;
    runner.connect(json!({})).await.succeeded();
    let missing = ["assets", "import", "nowhere.ndjson", "--source", "x"];
    with_tenant(&runner, &missing)
        .await
        .failed(3, &["nowhere.ndjson"]);
    let empty = runner.file("empty", "");
    let nameless = ["assets", "import", &empty, "--source", " "];
    let nameless = with_tenant(&runner, &nameless).await;
    assert_eq!(nameless.code, Some(2), "{nameless:?}");
    let nothing = ["assets", "import", &empty, "--source", "x", "--json"];
    let nothing = with_tenant(&runner, &nothing).await.succeeded().json();
    assert_eq!(number(&nothing, "rows"), 0);
    assert!(runner.assets().await.is_empty());
}
