//! Whether the host answers at all, and whether its certificate is trusted.

use super::clock;
use super::report::{Item, Report};
use crate::api::{Client, FaultKind};
use crate::configure::Settings;
use crate::platform::Platform;
use serde_json::Value;

/// What the first answer told.
pub struct Reached {
    /// How far the host's clock is ahead of the server's, in milliseconds.
    pub ahead: Option<i64>,
}

/// Asks for the API's health; none where no answer came, so that there is no use in going on.
pub async fn check<P: Platform>(
    client: &Client<P>,
    settings: &Settings,
    report: &mut Report,
) -> Option<Reached> {
    let origin = &settings.origin;
    let answer = client.healthcheck().await;
    let now = client.platform().now();
    let ahead = match &answer {
        Ok(reply) => clock::ahead(&reply.headers, now),
        Err(fault) => clock::ahead(&fault.headers, now),
    };
    match answer {
        Ok(reply) => match reply.value.get("status").and_then(Value::as_str) {
            Some(status) if status.eq_ignore_ascii_case("healthy") => {
                report.passed(Item::Host, format!("{origin} answers and is healthy."));
            }
            Some(status) => report.warned(
                Item::Host,
                format!("{origin} answers and says of itself: {:?}.", short(status)),
                "See the vendor's status page; syncs may fail meanwhile.",
            ),
            None => report.passed(
                Item::Host,
                format!("{origin} answers, but tells nothing about its health."),
            ),
        },
        Err(fault) if fault.status.is_none() => {
            if fault.kind == FaultKind::Tls {
                report.passed(Item::Host, format!("{origin} answers."));
                report.failed(Item::Tls, fault.message, fault.remedy);
            } else {
                report.fault(Item::Host, &fault);
            }
            return None;
        }
        // It answered, if only to say no: older tenants do not have this call, and what the key may do is told below.
        Err(fault) => match fault.kind {
            FaultKind::Unauthorized
            | FaultKind::Forbidden
            | FaultKind::UnknownCall
            | FaultKind::Refused => {
                report.passed(
                    Item::Host,
                    format!(
                        "{origin} answers, but not about its health. {}",
                        fault.message
                    ),
                );
            }
            _ => report.warned(
                Item::Host,
                format!(
                    "{origin} answers, but not as the API would. {}",
                    fault.message
                ),
                fault.remedy,
            ),
        },
    }
    if origin.starts_with("https://") {
        report.passed(Item::Tls, "The server's certificate is trusted.");
    } else {
        report.skipped(
            Item::Tls,
            "Plain http, which only this machine's own addresses may use.",
        );
    }
    Some(Reached { ahead })
}

/// A foreign word, bounded.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
