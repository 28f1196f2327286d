//! Rules of identification, and what is in doubt, as they are shown.

use serde_json::{Value, json};

use crate::cli::human::{self, count, counted};
use crate::cli::table::Table;
use crate::domain::{TenantName, Timestamp};
use crate::identification::{Rule, Rules};
use crate::store::{
    AmbiguousMatch, AssetState, DocumentKind, Identified, NamedAsset, ProbableDuplicate, Retried,
    Twin,
};

/// The rules as JSON.
pub fn document(rules: &Rules) -> Value {
    json!({
        "rules": rules,
        "off": rules.off(),
        "default": *rules == Rules::default(),
    })
}

/// The rules in their order, and those that are off.
pub fn table(rules: &Rules) -> Table {
    let mut table = Table::new(&[">ORDER", "RULE", "STATE"]);
    for (at, rule) in rules.iter().enumerate() {
        table.row([(at + 1).to_string(), rule.to_string(), "on".to_owned()]);
    }
    for rule in rules.off() {
        table.row([String::new(), rule.to_string(), "off".to_owned()]);
    }
    table
}

/// What other rules changed, as JSON.
pub fn changed_document(
    rules: &Rules,
    changed: &Identified,
    remade: &[Value],
    left: &[Retried],
) -> Value {
    json!({
        "rules": rules,
        "before": changed.before,
        "changed": *rules != changed.before,
        "assets": changed.assets,
        "keys": changed.keys,
        "triedAgain": retried_document(&changed.retried),
        "remade": remade,
        "triedLater": retried_document(left),
    })
}

/// Records that are tried again, as JSON.
pub fn retried_document(retried: &[Retried]) -> Vec<Value> {
    retried
        .iter()
        .map(|retried| {
            json!({"connection": retried.name, "removed": retried.removed, "records": retried.records})
        })
        .collect()
}

/// What other rules changed, for people.
pub fn changed_lines(tenant: &TenantName, rules: &Rules, changed: &Identified) -> Vec<String> {
    let names: Vec<String> = rules.iter().map(Rule::to_string).collect();
    if *rules == changed.before {
        return vec![format!(
            "nothing changed: assets of tenant {tenant} are identified by {}",
            names.join(", then ")
        )];
    }
    let mut lines = vec![
        format!(
            "assets of tenant {tenant} are identified by {}",
            names.join(", then ")
        ),
        format!(
            "{} under {}",
            counted(changed.assets, "asset"),
            counted(changed.keys, "key")
        ),
    ];
    let waiting: u64 = changed.retried.iter().map(|retried| retried.records).sum();
    lines.push(match waiting {
        0 => "no record waits for its asset".to_owned(),
        1 => "1 record that waits for its asset is tried again".to_owned(),
        many => format!(
            "{} records that wait for their assets are tried again",
            count(many)
        ),
    });
    lines
}

/// When records are tried again, for people: a line for each connection.
pub fn retried_lines(tenant: &TenantName, retried: &[Retried]) -> Vec<String> {
    retried
        .iter()
        .map(|retried| {
            let name = &retried.name;
            let records = counted(retried.records, "record");
            let one = retried.records == 1;
            let (wait, are) = if one {
                ("waits", "is")
            } else {
                ("wait", "are")
            };
            let when = if retried.removed {
                "when it is connected again".to_owned()
            } else {
                format!("by its next sync: host-runner sync {name} --tenant {tenant}")
            };
            format!("{records} of {name} that {wait} for an asset {are} tried again {when}")
        })
        .collect()
}

/// Ambiguous matches in a table.
pub fn ambiguous_table(matches: &[AmbiguousMatch], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "CONNECTION",
        "STREAM",
        "RECORD",
        "RULE",
        "MAY BE",
        "NOW",
        "SINCE",
    ]);
    for each in matches {
        let candidates: Vec<String> = each.candidates.iter().map(candidate).collect();
        table.row([
            each.connection.to_string(),
            each.stream.to_string(),
            human::shortened(&each.record, 40),
            each.rule.to_string(),
            candidates.join(", "),
            if each.parked {
                "waits"
            } else {
                "has an asset of its own"
            }
            .to_owned(),
            human::relative(now, each.at),
        ]);
    }
    table
}

/// An ambiguous match as JSON.
pub fn ambiguous_document(each: &AmbiguousMatch) -> Value {
    json!({
        "connection": each.connection,
        "stream": each.stream,
        "record": each.record,
        "kind": match each.kind {
            DocumentKind::Asset => "asset",
            DocumentKind::Finding => "finding",
        },
        "key": each.key,
        "parked": each.parked,
        "rule": each.rule,
        "since": each.at.to_rfc3339(),
        "candidates": each.candidates.iter().map(asset).collect::<Vec<_>>(),
    })
}

/// Probable duplicates in a table.
pub fn duplicates_table(pairs: &[ProbableDuplicate], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "CONNECTION",
        "HOST",
        "EARLIER ID",
        "LAST SEEN",
        "LATER ID",
        "LAST SEEN",
    ]);
    for pair in pairs {
        let name = |twin: &Twin| twin.asset.as_ref().and_then(|asset| asset.name.clone());
        table.row([
            pair.connection.to_string(),
            human::shortened(
                &name(&pair.later)
                    .or_else(|| name(&pair.earlier))
                    .unwrap_or_default(),
                48,
            ),
            standing(&pair.earlier),
            human::relative(now, pair.earlier.last_seen),
            standing(&pair.later),
            human::relative(now, pair.later.last_seen),
        ]);
    }
    table
}

/// A pair of ids as JSON.
pub fn duplicate_document(pair: &ProbableDuplicate) -> Value {
    let twin = |twin: &Twin| {
        json!({
            "id": twin.key,
            "firstSeen": twin.first_seen.to_rfc3339(),
            "lastSeen": twin.last_seen.to_rfc3339(),
            "asset": twin.asset.as_ref().map(asset),
        })
    };
    json!({
        "connection": pair.connection,
        "earlier": twin(&pair.earlier),
        "later": twin(&pair.later),
        "since": pair.at.to_rfc3339(),
    })
}

fn standing(twin: &Twin) -> String {
    let key = human::shortened(&twin.key, 40);
    match &twin.asset {
        None => format!("{key} (waits)"),
        Some(asset) if asset.state == AssetState::Active => key,
        Some(asset) => format!("{key} ({})", state(asset.state)),
    }
}

fn candidate(asset: &NamedAsset) -> String {
    let name = asset.name.as_deref().unwrap_or("an asset");
    let source = asset.onboarding_source.as_deref();
    format!(
        "{} (no. {}{})",
        human::shortened(name, 32),
        count(asset.id.unsigned_abs()),
        source
            .map(|source| format!(", of {}", human::shortened(source, 32)))
            .unwrap_or_default()
    )
}

fn asset(asset: &NamedAsset) -> Value {
    json!({
        "number": asset.id,
        "host": asset.name,
        "state": state(asset.state),
        "onboardingSource": asset.onboarding_source,
    })
}

fn state(state: AssetState) -> &'static str {
    match state {
        AssetState::Active => "active",
        AssetState::Inactive => "inactive",
        AssetState::OutOfScope => "out-of-scope",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ConnectionId;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn named(id: i64) -> NamedAsset {
        NamedAsset {
            id,
            name: Some("srv-1".to_owned()),
            state: AssetState::Active,
            onboarding_source: Some("cmdb".to_owned()),
        }
    }

    #[test]
    fn rules_are_shown_in_their_order_with_what_is_off() {
        insta::assert_snapshot!(table(&Rules::default()).render());
    }

    #[test]
    fn changed_rules_say_what_is_tried_again_and_when() {
        let tenant = TenantName::new("acme").unwrap();
        let retried = |name: &str, records, removed| Retried {
            connection: ConnectionId(1),
            name: name.parse().unwrap(),
            removed,
            records,
        };
        let changed = Identified {
            before: Rules::default(),
            assets: 18_204,
            keys: 36_408,
            retried: vec![retried("xdr", 3_120, false), retried("old", 1, true)],
        };
        let rules = Rules::new(vec!["mac".parse().unwrap()]).unwrap();
        let mut lines = changed_lines(&tenant, &rules, &changed);
        lines.extend(retried_lines(&tenant, &changed.retried));
        insta::assert_snapshot!(lines.join("\n"));
        let same = changed_lines(&tenant, &Rules::default(), &changed);
        assert!(same[0].starts_with("nothing changed"), "{same:?}");
    }

    #[test]
    fn doubts_are_listed_with_all_that_they_may_be() {
        let now = at(7_200_000);
        let doubt = AmbiguousMatch {
            connection: "xdr".parse().unwrap(),
            stream: crate::domain::DataStreamName::new("endpoints").unwrap(),
            record: "e-1".to_owned(),
            kind: DocumentKind::Asset,
            key: "e-1".to_owned(),
            parked: true,
            rule: Rule::machine(),
            at: at(0),
            candidates: vec![named(1), named(2)],
        };
        let twin = |key: &str, asset| Twin {
            key: key.to_owned(),
            first_seen: at(0),
            last_seen: at(3_600_000),
            asset,
        };
        let gone = NamedAsset {
            state: AssetState::OutOfScope,
            ..named(2)
        };
        let pair = ProbableDuplicate {
            connection: "xdr".parse().unwrap(),
            earlier: twin("e-1", Some(gone)),
            later: twin("e-2", None),
            at: at(0),
        };
        insta::assert_snapshot!(format!(
            "{}\n\n{}\n\n{}\n{}",
            ambiguous_table(std::slice::from_ref(&doubt), now).render(),
            duplicates_table(std::slice::from_ref(&pair), now).render(),
            ambiguous_document(&doubt),
            duplicate_document(&pair)
        ));
    }
}
