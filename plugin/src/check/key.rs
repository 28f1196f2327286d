//! Whether the key is accepted, and whether it is of the kind that the configuration says.

use super::clock;
use super::page::{self, FirstPage};
use super::report::{Item, Report};
use crate::api::{Client, Fault, FaultKind};
use crate::configure::{SecurityLevel, Settings};
use crate::describe::Call;
use crate::platform::Platform;

/// A key that works.
pub struct Accepted<P> {
    /// A client that signs as the key really needs it.
    pub client: Client<P>,
    /// What the call that proved it gave.
    pub first: Result<FirstPage, Fault>,
}

/// Makes one call that needs the key. Where it is refused, tries once whether the key is of the other kind: the API says the
/// same for a wrong key, a wrong ID and a wrong kind. None where the key is refused.
pub async fn check<P: Platform>(
    client: &Client<P>,
    settings: &Settings,
    call: Call,
    ahead: Option<i64>,
    report: &mut Report,
) -> Option<Accepted<P>> {
    let level = settings.security_level;
    let first = page::first(client, settings, call).await;
    let refusal = match first {
        Err(fault) if fault.kind == FaultKind::Unauthorized => fault,
        first => {
            if proves_key(&first) {
                report.passed(
                    Item::Key,
                    format!("Accepted for key ID {}.", settings.api_key_id),
                );
                report.passed(Item::KindOfKey, format!("{}, as configured.", title(level)));
            } else {
                report.skipped(
                    Item::Key,
                    "The answer does not tell whether the key was accepted.",
                );
            }
            return Some(Accepted {
                client: client.clone(),
                first,
            });
        }
    };
    let other = client.with_security_level(level.other());
    let second = page::first(&other, settings, call).await;
    if proves_key(&second) {
        report.passed(
            Item::Key,
            format!("Accepted for key ID {}.", settings.api_key_id),
        );
        report.failed(
            Item::KindOfKey,
            format!(
                "The key is {} and is configured as {}.",
                title(level.other()),
                title(level)
            ),
            format!("Set securityLevel to {}.", level.other().name()),
        );
        return Some(Accepted {
            client: other,
            first: second,
        });
    }
    report.failed(
        Item::Key,
        format!("{} It was tried as {} and as {}.", refusal.message, title(level), title(level.other())),
        format!(
            "Check that apiKey and apiKeyId ({}) belong together and to this tenant, and that the key is not expired or deleted (Settings > \
             Configurations > API Keys).{}",
            settings.api_key_id,
            clock::suspicion(ahead)
        ),
    );
    None
}

/// Whether an answer can only come after the key was accepted. An API that is down, a portal or a proxy prove nothing.
fn proves_key(answer: &Result<FirstPage, Fault>) -> bool {
    match answer {
        Ok(_) => true,
        Err(fault) => matches!(
            fault.kind,
            FaultKind::Forbidden
                | FaultKind::Unlicensed
                | FaultKind::BadRequest
                | FaultKind::Refused
        ),
    }
}

fn title(level: SecurityLevel) -> &'static str {
    match level {
        SecurityLevel::Advanced => "an Advanced key",
        SecurityLevel::Standard => "a Standard key",
    }
}
