//! How a connection's requests get out, as it is shown: the proxy without its password, authorities by name, end and fingerprint.

use serde_json::{Value, json};

use crate::cli::human;
use crate::connection::{WayOut, way_out};
use crate::domain::Timestamp;
use crate::egress::Authority;
use crate::store::{Connection, KeptProxy};

/// The authorities that a connection trusts beside the machine's own, one line each.
pub fn authorities(connection: &Connection, now: Timestamp) -> Vec<String> {
    match way_out::authorities(connection) {
        Ok(authorities) => authorities
            .iter()
            .map(|each| authority(each, now))
            .collect(),
        // Whoever looks at a connection is told, and not kept from seeing the rest.
        Err(error) => vec![error.to_string()],
    }
}

fn authority(authority: &Authority, now: Timestamp) -> String {
    let until = human::moment(authority.not_after());
    let until = match authority.has_expired(now) {
        true => format!("EXPIRED {until}, and not trusted any more"),
        false => format!("until {until}"),
    };
    format!(
        "{}, {until}, SHA-256 {}",
        authority.subject(),
        authority.fingerprint()
    )
}

/// The proxy, and whether it is given a user and a password.
pub fn proxy(proxy: &KeptProxy) -> String {
    let credentials = match proxy.credentials {
        true => " (with user and password)",
        false => "",
    };
    format!("{}{credentials}", proxy.address)
}

/// What `connect` tells before anything is sent; one line each.
pub fn before(way_out: &WayOut, now: Timestamp) -> Vec<String> {
    let kept = way_out.kept();
    let through = kept
        .proxy
        .iter()
        .map(|each| format!("through the proxy {}", proxy(each)));
    let trusted = way_out.authorities.iter().map(|each| {
        format!(
            "trusting, beside this machine's authorities: {}",
            authority(each, now)
        )
    });
    through.chain(trusted).collect()
}

/// Where a connection's requests go, with what lies between, in a cell of a table.
pub fn cell(origins: &str, connection: &Connection) -> String {
    let mut text = origins.to_owned();
    if let Some(proxy) = &connection.way_out.proxy {
        text.push_str(&format!(" through {}", proxy.address));
    }
    let authorities = connection.way_out.authorities.len() as u64;
    if authorities > 0 {
        let counted = match authorities {
            1 => "1 authority".to_owned(),
            many => format!("{many} authorities"),
        };
        text.push_str(&format!(", trusting {counted} of its own"));
    }
    text
}

/// The authorities as JSON.
pub fn authorities_json(connection: &Connection) -> Value {
    let authorities = way_out::authorities(connection).unwrap_or_default();
    authorities
        .iter()
        .map(|each| {
            json!({
                "subject": each.subject(),
                "sha256": each.fingerprint(),
                "notAfter": each.not_after().to_rfc3339(),
            })
        })
        .collect()
}

/// The proxy as JSON: its URL without user and password.
pub fn proxy_json(connection: &Connection) -> Value {
    connection.way_out.proxy.as_ref().map_or(
        Value::Null,
        |proxy| json!({"url": proxy.address, "credentials": proxy.credentials}),
    )
}
