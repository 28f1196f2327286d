//! Master keys, as they are shown: by their ids, never by their values.

use serde_json::{Value, json};

use crate::cli::explain::renewal;
use crate::cli::human;
use crate::cli::table::{Card, Table};
use crate::connection::keys::{KeyCount, KeyStanding, LostSecret, Rotation};
use crate::secrets::KeySource;

/// How the keys stand, as JSON.
pub fn standing_document(standing: &KeyStanding) -> Value {
    let source = standing.source.as_ref();
    let modes = source.and_then(KeySource::modes);
    json!({
        "source": source.map(KeySource::word),
        "path": source.and_then(path),
        "fileMode": modes.map(|modes| octal(modes.file)),
        "folderMode": modes.map(|modes| octal(modes.folder)),
        "keys": standing.keys.iter().map(|key| json!({
            "id": key.id.to_string(),
            "here": key.here,
            "seals": key.seals,
            "connections": key.connections,
            "secrets": key.secrets,
        })).collect::<Vec<_>>(),
        "lost": lost_documents(&standing.lost),
    })
}

/// How the keys stand, for people.
pub fn standing_text(standing: &KeyStanding, colour: bool) -> String {
    let mut card = Card::new("Master key");
    match &standing.source {
        Some(source) => card.row("from", source.to_string()),
        None => card.row("from", "nowhere yet: the first `connect` makes one"),
    };
    if let Some(modes) = standing.source.as_ref().and_then(KeySource::modes) {
        card.row(
            "permissions",
            format!("{} (its folder {})", octal(modes.file), octal(modes.folder)),
        );
    }
    let mut text = card.render(colour);
    if !standing.keys.is_empty() {
        let mut table = Table::new(&["KEY", "USE", "CONNECTIONS", "SECRETS"]);
        for key in &standing.keys {
            table.row([
                key.id.to_string().as_str(),
                usage(key),
                &human::count(key.connections),
                &human::count(key.secrets),
            ]);
        }
        text.push_str(&format!("\n\n{}", table.render()));
    }
    if standing.keys.iter().filter(|key| key.here).count() > 1 {
        text.push_str("\n\n`host-runner keys rotate` encrypts everything with the first key and says which others can go");
    }
    text.push_str(&lost_lines(&standing.lost));
    text
}

/// What a rotation did, as JSON.
pub fn rotation_document(rotation: &Rotation) -> Value {
    json!({
        "source": rotation.source.word(),
        "path": path(&rotation.source),
        "key": rotation.key.to_string(),
        "retired": rotation.retired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "resumed": rotation.resumed,
        "tenants": rotation.tenants,
        "resealed": rotation.resealed,
        "unchanged": rotation.unchanged,
        "lost": lost_documents(&rotation.lost),
    })
}

/// What a rotation did, for people.
pub fn rotation_text(rotation: &Rotation) -> String {
    let mut text = format!(
        "{}{} of {} encrypted with the master key {}",
        if rotation.resumed {
            "finished the rotation that was interrupted: "
        } else {
            ""
        },
        human::counted(rotation.resealed, "secret"),
        human::counted(rotation.tenants, "tenant"),
        rotation.key,
    );
    if rotation.unchanged > 0 {
        text.push_str(&format!(" ({} already)", human::count(rotation.unchanged)));
    }
    let retired: Vec<String> = rotation.retired.iter().map(ToString::to_string).collect();
    if !retired.is_empty() {
        let which = human::list(&retired);
        text.push_str(&match &rotation.source {
            KeySource::File(path) => format!(
                "\nnothing needs {which} any more: gone from {}",
                human::plain(&path.display().to_string())
            ),
            source => format!("\nnothing needs {which} any more: take it away from {source}"),
        });
    }
    text.push_str(&lost_lines(&rotation.lost));
    text
}

fn usage(key: &KeyCount) -> &'static str {
    match (key.here, key.seals) {
        (false, _) => "is not here",
        (true, true) => "encrypts",
        (true, false) => "decrypts only",
    }
}

fn path(source: &KeySource) -> Option<String> {
    match source {
        KeySource::File(path) => Some(path.display().to_string()),
        _ => None,
    }
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

fn lost_documents(lost: &[LostSecret]) -> Vec<Value> {
    lost.iter()
        .map(|each| {
            json!({
                "tenant": each.tenant,
                "connection": each.connection,
                "secret": each.name,
                "reason": each.reason.to_string(),
                "remedy": renewal(&each.tenant, &each.connection, &each.name),
            })
        })
        .collect()
}

fn lost_lines(lost: &[LostSecret]) -> String {
    lost.iter()
        .map(|each| {
            format!(
                "\n\nwarning: connection {} of tenant {} can't be used: {}\n  try: {}",
                each.connection,
                each.tenant,
                human::plain(&each.reason.to_string()),
                human::plain(&renewal(&each.tenant, &each.connection, &each.name)),
            )
        })
        .collect()
}
