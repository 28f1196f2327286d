//! Which map is chosen.

use std::io::Write;

use serde_json::json;

use super::*;
use crate::domain::Timestamp;
use crate::store::{MapVersion, SavedMap};

fn map(name: &str, stream: &str, target: &str) -> TransformMap {
    TransformMap {
        name: name.to_owned(),
        data_stream: stream.to_owned(),
        target: target.to_owned(),
        body: json!({"name": name, "source": stream, "target": target, "version": "1.2.0"}),
    }
}

fn manifest() -> Manifest {
    Manifest {
        name: "test".to_owned(),
        title: "Test".to_owned(),
        version: "1.0.0".to_owned(),
        vendor: "Example".to_owned(),
        product: "Example".to_owned(),
        category: String::new(),
        details: Vec::new(),
        setup: String::new(),
        config_schema: json!({}),
        origins: Vec::new(),
        calls: Vec::new(),
        budgets: Vec::new(),
        data_streams: Vec::new(),
        maps: vec![
            map("lean", "endpoints", "lean"),
            map("safe", "endpoints", "safe"),
            map("safe", "alerts", "safe"),
            map("etm", "endpoints", "etm"),
            map("etm-scoped", "endpoints", "etm"),
            map("etm-scoped", "alerts", "etm"),
        ],
    }
}

fn streams(names: &[&str]) -> Vec<DataStreamName> {
    names
        .iter()
        .map(|name| DataStreamName::new(*name).unwrap())
        .collect()
}

fn own_maps() -> OwnMaps {
    let own = |name: &str, number: u32, source: &[&str], target: &str| SavedMap {
        version: MapVersion {
            name: name.parse().unwrap(),
            number,
            hash: String::new(),
            saved_at: Timestamp::from_ms(0).unwrap(),
        },
        body: json!({"name": name, "source": source, "target": target, "n": number}).to_string(),
    };
    OwnMaps::new(vec![
        own("mine", 2, &["endpoints", "vulnerabilities"], "etm"),
        own("mine", 1, &["endpoints"], "etm"),
        own("bells", 1, &["alerts"], "safe"),
    ])
}

fn chosen(names: &[&str], arguments: &[&str]) -> Result<(String, Vec<String>), ConnectionError> {
    let arguments: Vec<MapArgument> = arguments.iter().map(|text| text.parse().unwrap()).collect();
    let choice = choose(&manifest(), &own_maps(), &streams(names), &arguments, None)?;
    let maps = choice
        .maps
        .iter()
        .map(|(stream, map)| format!("{stream}={}", map.name))
        .collect();
    Ok((choice.target, maps))
}

#[test]
fn the_default_is_the_first_target_that_has_a_map_for_every_stream() {
    assert_eq!(
        chosen(&["endpoints"], &[]).unwrap(),
        ("lean".to_owned(), vec!["endpoints=lean".to_owned()])
    );
    let (target, maps) = chosen(&["endpoints", "alerts"], &[]).unwrap();
    assert_eq!(
        (target.as_str(), maps.join(" ").as_str()),
        ("safe", "alerts=safe endpoints=safe")
    );
    assert!(matches!(
        chosen(&["vulnerabilities"], &[]),
        Err(ConnectionError::NoTarget { .. })
    ));
}

#[test]
fn a_target_takes_its_map_of_the_same_name_first_and_any_other_of_it_else() {
    let (target, maps) = chosen(&["endpoints", "alerts"], &["etm"]).unwrap();
    assert_eq!(
        (target.as_str(), maps.join(" ").as_str()),
        ("etm", "alerts=etm-scoped endpoints=etm")
    );
    let (target, maps) = chosen(&["endpoints", "alerts"], &["etm-scoped"]).unwrap();
    assert_eq!(
        (target.as_str(), maps.join(" ").as_str()),
        ("etm", "alerts=etm-scoped endpoints=etm-scoped")
    );
}

#[test]
fn one_streams_map_decides_the_target_of_the_others() {
    let (target, maps) = chosen(&["endpoints", "alerts"], &["endpoints=etm-scoped"]).unwrap();
    assert_eq!(
        (target.as_str(), maps.join(" ").as_str()),
        ("etm", "alerts=etm-scoped endpoints=etm-scoped")
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    assert!(matches!(
        chosen(&["endpoints"], &["nope"]),
        Err(ConnectionError::NoSuchMap { .. })
    ));
    assert!(matches!(
        chosen(&["endpoints"], &["alerts=safe"]),
        Err(ConnectionError::MapForOtherStream { .. })
    ));
    assert!(matches!(
        chosen(&["endpoints"], &["safe", "etm"]),
        Err(ConnectionError::MapTwice(_))
    ));
    assert!(matches!(
        chosen(&["endpoints", "alerts"], &["etm", "alerts=safe"]),
        Err(ConnectionError::MixedTargets { .. })
    ));
}

#[test]
fn a_file_is_a_map_and_one_that_looks_bundled_is_told_apart() {
    let mut file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    write!(
        file,
        "{}",
        json!({"name": "safe", "target": "safe", "rules": []})
    )
    .unwrap();
    let argument = format!("endpoints={}", file.path().display());
    let (target, maps) = chosen(&["endpoints"], &[&argument]).unwrap();
    assert_eq!(
        (target.as_str(), maps.join(" ").as_str()),
        ("safe", "endpoints=safe (own)")
    );
}

#[test]
fn a_file_that_is_no_map_is_refused_with_its_name() {
    for text in ["not json", "{}", "[]"] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{text}").unwrap();
        let error = chosen(
            &["endpoints"],
            &[&format!("endpoints={}", file.path().display())],
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&file.path().display().to_string()),
            "{error}"
        );
    }
}

#[test]
fn an_upgrade_takes_the_new_bundled_maps_and_leaves_own_ones() {
    let stored = |name: &str, origin, body| MapDocument::of(body).stored(name.to_owned(), origin);
    let own = stored("mine", MapOrigin::Bundled, json!({"target": "etm"}));
    let old = stored(
        "etm-scoped",
        MapOrigin::Bundled,
        json!({"version": "1.0.0"}),
    );
    let held = streams(&["endpoints", "alerts"])
        .into_iter()
        .zip([own.clone(), old])
        .collect();
    let choice = carry_over(
        &manifest(),
        &streams(&["endpoints", "alerts"]),
        "etm",
        &held,
    )
    .unwrap();
    let names: Vec<(&str, Option<&str>)> = choice
        .maps
        .values()
        .map(|map| (map.name.as_str(), map.version.as_deref()))
        .collect();
    assert_eq!(names, [("etm-scoped", Some("1.2.0")), ("mine", None)]);
}

#[test]
fn an_own_map_stays_own_also_where_the_connector_has_one_of_its_name_now() {
    let own = MapDocument::of(json!({"target": "etm", "version": "7.0"}));
    for origin in [MapOrigin::Own(4), MapOrigin::File] {
        let map = own.stored("etm-scoped".to_owned(), origin);
        let held = BTreeMap::from([(streams(&["endpoints"])[0].clone(), map.clone())]);
        let choice = carry_over(&manifest(), &streams(&["endpoints"]), "etm", &held).unwrap();
        assert_eq!(choice.maps.into_values().collect::<Vec<_>>(), [map]);
    }
}

#[test]
fn an_own_map_is_for_the_data_streams_that_it_takes_and_its_target_for_the_rest() {
    let (target, maps) = chosen(&["endpoints", "alerts"], &["mine"]).unwrap();
    assert_eq!(
        (target.as_str(), maps.join(" ").as_str()),
        ("etm", "alerts=etm-scoped endpoints=mine")
    );
    let (_, maps) = chosen(&["endpoints", "alerts"], &["endpoints=mine@1", "etm"]).unwrap();
    assert_eq!(maps.join(" "), "alerts=etm-scoped endpoints=mine");
    assert!(matches!(
        chosen(&["endpoints"], &["bells"]),
        Err(ConnectionError::MapForNone { .. })
    ));
    assert!(matches!(
        chosen(
            &["endpoints", "alerts"],
            &["endpoints=mine", "alerts=bells"]
        ),
        Err(ConnectionError::MixedTargets { .. })
    ));
}

#[test]
fn a_connection_keeps_the_maps_that_no_argument_is_about() {
    let names = streams(&["endpoints", "alerts"]);
    let choose = |arguments: &[&str], kept: Option<&MapChoice>| {
        let arguments: Vec<MapArgument> =
            arguments.iter().map(|text| text.parse().unwrap()).collect();
        super::choose(&manifest(), &own_maps(), &names, &arguments, kept)
    };
    let maps = |choice: &MapChoice| -> String {
        let maps = choice
            .maps
            .iter()
            .map(|(stream, map)| format!("{stream}={}", map.name));
        maps.collect::<Vec<_>>().join(" ")
    };
    let kept = choose(&["endpoints=mine", "alerts=etm-scoped"], None).unwrap();
    let other = choose(&["alerts=etm-scoped"], Some(&kept)).unwrap();
    assert_eq!(maps(&other), "alerts=etm-scoped endpoints=mine");
    // A target is about all of them.
    let other = choose(&["etm"], Some(&kept)).unwrap();
    assert_eq!(maps(&other), "alerts=etm-scoped endpoints=etm");
    // One data stream alone can't go to another target, nor take the others with it.
    assert!(matches!(
        choose(&["alerts=safe"], Some(&kept)),
        Err(ConnectionError::MixedTargets { stream, target, other })
            if (stream.as_str(), target.as_str(), other.as_str()) == ("alerts", "safe", "etm")
    ));
    // A map for all goes with its target.
    let safe = choose(&["safe"], None).unwrap();
    let other = choose(&["mine"], Some(&safe)).unwrap();
    assert_eq!(maps(&other), "alerts=etm-scoped endpoints=mine");
}

#[test]
fn the_newest_version_counts_unless_another_is_named() {
    let of = |argument: &str| {
        let arguments = [argument.parse().unwrap()];
        let choice = choose(
            &manifest(),
            &own_maps(),
            &streams(&["endpoints"]),
            &arguments,
            None,
        );
        choice.unwrap().maps.into_values().next().unwrap().origin
    };
    assert_eq!(of("mine"), MapOrigin::Own(2));
    assert_eq!(of("endpoints=mine@1"), MapOrigin::Own(1));
    assert_eq!(of("etm"), MapOrigin::Bundled);
    let gone = chosen(&["endpoints"], &["mine@9"]).unwrap_err().to_string();
    assert!(gone.contains("mine") && gone.contains('9'), "{gone}");
}

#[test]
fn a_name_that_is_near_is_proposed() {
    for (argument, near) in [("endpoints=etm-scopd", "etm-scoped"), ("minne", "mine")] {
        let error = chosen(&["endpoints"], &[argument]).unwrap_err().to_string();
        assert!(
            error.contains(&format!("did you mean `{near}`?")),
            "{error}"
        );
    }
}
