//! Errors of the modules below, as what a command tells: a kind, a message, what to do.

use serde_json::{Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::view::compared;
use crate::component::{LoadError, TrustError};
use crate::connection::ConnectionError;
use crate::contract::connector::Check;
use crate::contract::types::Problem;
use crate::domain::{ConnectionName, HOST_SECRET, RunId, TenantName};
use crate::engine::{CallError, EngineError, LimitReached};
use crate::query::QueryError;
use crate::secrets::KeyringError;
use crate::store::StoreError;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NoSuchTenant { .. }
            | StoreError::NoSuchConnection { .. }
            | StoreError::ConnectionGone(_)
            | StoreError::NameTaken { .. }
            | StoreError::NoSuchRun { .. } => Exit::Input,
            StoreError::Busy { .. } | StoreError::TenantBusy { .. } | StoreError::Locked { .. } => {
                Exit::Busy
            }
            _ => Exit::Store,
        };
        Self::new(exit, error.to_string())
    }
}

/// A query that is wrong, with a picture of the place for people and the parts of it for programs.
pub fn wrong_query(error: &QueryError, json: bool) -> Failure {
    let fields = error.fields.join(", ");
    let (message, remedy) = if json {
        (error.to_string(), error.hint.clone())
    } else {
        let picture = error.picture().replace('\n', "\n    ");
        let fields = match fields.as_str() {
            "" => String::new(),
            fields => format!("\nfields: {}", wrapped(fields, 100)),
        };
        (
            format!("{error}\n    {picture}"),
            format!("{}{fields}", error.hint).trim_start().to_owned(),
        )
    };
    Failure::new(Exit::Usage, message)
        .remedy(remedy)
        .detail("query", json!(error.query))
        .detail(
            "place",
            json!({"from": error.place.start, "to": error.place.end}),
        )
        .detail("fields", json!(error.fields))
}

/// Words on lines of at most so many characters, where no word is longer.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        if used > 0 && used + 1 + word.len() > width {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += word.len();
    }
    lines
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let failure = |exit| Self::new(exit, error.to_string());
        match &error {
            LoadError::Unreadable { .. } => {
                failure(Exit::Input).remedy("check the path given with --plugin")
            }
            LoadError::Untrusted { error, .. } => {
                failure(Exit::Untrusted).remedy(trust_remedy(error))
            }
            LoadError::Limit { reached, .. } => failure(Exit::Component).remedy(raise(reached)),
            LoadError::NotAComponent { .. }
            | LoadError::ForbiddenImport { .. }
            | LoadError::Contract { .. } => failure(Exit::Component).remedy(
                "give a connector component with --plugin, or leave it out for the bundled one",
            ),
            _ => failure(Exit::Component),
        }
    }
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        let exit = match &error {
            TrustError::Unreadable { .. } | TrustError::NoKey { .. } => Exit::Input,
            _ => Exit::Untrusted,
        };
        Self::new(exit, error.to_string()).remedy(trust_remedy(&error))
    }
}

/// What to do about a component that is not trusted.
pub fn trust_remedy(error: &TrustError) -> &'static str {
    match error {
        TrustError::NoTrustedKey => {
            "give the publisher's key with --trusted-key KEY|FILE, in HOST_RUNNER_TRUSTED_KEYS, or in the file `trusted-keys` of the data directory"
        }
        TrustError::Unsigned { .. } => {
            "get the publisher's signature and put it beside the component, or name it with --signature FILE"
        }
        TrustError::NoSignature { .. }
        | TrustError::Legacy { .. }
        | TrustError::Unreadable { .. } => "get the signature anew from the publisher",
        TrustError::OtherKey { .. } => {
            "trust the key only if the publisher says on another way that it is theirs: --trusted-key KEY|FILE"
        }
        TrustError::Mismatch { .. } => {
            "do not use it: get the component and its signature anew from the publisher"
        }
        TrustError::NoKey { .. } | TrustError::Writable { .. } => "",
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Io { .. } => Self::new(Exit::Store, error.to_string()).remedy(
                "check the data directory's owner and permissions, or give another one with --data",
            ),
            EngineError::Engine(_) => Self::new(Exit::Internal, error.to_string()),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let failure = |exit| Self::new(exit, error.to_string());
        match &error {
            CallError::Limit { reached, .. } => failure(Exit::Component).remedy(raise(reached)),
            CallError::Cancelled { .. } => failure(Exit::Cancelled),
            CallError::Trap { .. } | CallError::Contract { .. } => failure(Exit::Component),
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        let mut failure = match error {
            ConnectionError::Store(error) => return error.into(),
            ConnectionError::Call(error) => return error.into(),
            ref other => Self::new(exit(other), other.to_string()).remedy(remedy(other)),
        };
        if !error.problems().is_empty() {
            failure.message = format!("{}{}", failure.message, problem_lines(error.problems()));
            failure = failure.detail("problems", problems_json(error.problems()));
        }
        if let ConnectionError::SetAside { set_aside, .. } = &error {
            failure = failure.detail(
                "setAside",
                serde_json::to_value(set_aside).unwrap_or_default(),
            );
        }
        if let ConnectionError::ReachesFurther { further, .. } = &error {
            failure.message.push_str(&compared::lines(further));
            failure = failure.detail("further", json!(further));
        }
        if let ConnectionError::TestFailed(checks) = &error {
            failure = failure.detail("checks", checks_json(checks));
        }
        failure
    }
}

fn exit(error: &ConnectionError) -> Exit {
    match error {
        ConnectionError::Keyring(KeyringError::Foreign { .. }) | ConnectionError::NoKey => {
            Exit::Input
        }
        ConnectionError::Keyring(KeyringError::Busy) => Exit::Busy,
        ConnectionError::Keyring(_) | ConnectionError::Seal(_) | ConnectionError::Sealed { .. } => {
            Exit::Store
        }
        ConnectionError::Contract(_) => Exit::Component,
        ConnectionError::SetAside { .. } => Exit::SetAside,
        ConnectionError::TestFailed(_) => Exit::Refused,
        ConnectionError::ReachesFurther { .. } | ConnectionError::ReachUnknown { .. } => {
            Exit::Reach
        }
        _ => Exit::Input,
    }
}

fn remedy(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Configuration(_) => {
            "correct the configuration; `host-runner inspect` lists its fields".to_owned()
        }
        ConnectionError::NotAnObject(_) => {
            "`host-runner inspect` lists the fields of the configuration".to_owned()
        }
        ConnectionError::TestFailed(_) => {
            "do what the report says and try again; nothing was saved".to_owned()
        }
        ConnectionError::OtherBuild { connection, .. } => format!(
            "move it to the loaded build with `host-runner update {connection} --tenant TENANT --upgrade`, or give its own build with --plugin"
        ),
        ConnectionError::Sealed {
            tenant,
            connection,
            error,
        } => renewal(tenant, connection, error.secret()),
        ConnectionError::SetAside {
            tenant,
            connection,
            set_aside,
        } => reinstate(tenant, connection, set_aside.run),
        ConnectionError::ReachesFurther { connection, .. }
        | ConnectionError::ReachUnknown { connection } => format!(
            "look into the build with `host-runner inspect --plugin FILE`; if it may reach that far, move connection {connection} to it with --upgrade --accept-reach"
        ),
        ConnectionError::NoSuchMap { .. }
        | ConnectionError::NoTarget { .. }
        | ConnectionError::NoMap { .. } => {
            "`host-runner maps` lists the connector's maps, with --tenant TENANT also the tenant's own"
                .to_owned()
        }
        ConnectionError::NoMapVersion { name, .. } => {
            format!("`host-runner maps history {name} --tenant TENANT` lists its versions")
        }
        ConnectionError::MapForOthers { .. } => {
            "choose another map, or another data stream; `host-runner maps` lists which goes with which"
                .to_owned()
        }
        ConnectionError::SeveralMaps { .. } => "say for which data stream: --stream STREAM".to_owned(),
        ConnectionError::MapReadOnly(name) => {
            format!("make a copy of your own: host-runner maps clone {name} NEW --tenant TENANT")
        }
        ConnectionError::MapInUse { .. } => {
            "give the connection another map first: host-runner update NAME --tenant TENANT --map OTHER"
                .to_owned()
        }
        _ => String::new(),
    }
}

/// How to give a secret again that can't be opened.
pub fn renewal(tenant: &TenantName, connection: &ConnectionName, secret: &str) -> String {
    if secret.starts_with(HOST_SECRET) {
        return format!("host-runner update {connection} --tenant {tenant} --proxy URL");
    }
    format!("host-runner update {connection} --tenant {tenant} --secret {secret}=env:VARIABLE")
}

/// How to look at why a connection is set aside, and what to do then.
pub fn reinstate(tenant: &TenantName, connection: &ConnectionName, run: RunId) -> String {
    format!(
        "look at it: host-runner runs show {run} --tenant {tenant}\nlet it run again: host-runner reinstate {connection} --tenant {tenant}\n\
         or move it to another build of the component: host-runner update {connection} --tenant {tenant} --plugin FILE --upgrade"
    )
}

/// How to raise a limit, for whoever trusts the component with more.
pub fn raise(reached: &LimitReached) -> String {
    format!(
        "if you trust the component with more, raise the limit with --limit-{} (it was {})",
        reached.name, reached.value
    )
}

/// Problems as lines below a message, each with its place.
pub fn problem_lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| {
            let place = if problem.pointer.is_empty() {
                "the document"
            } else {
                problem.pointer.as_str()
            };
            format!("\n  {place}: {}", problem.message)
        })
        .collect()
}

/// Problems as JSON.
pub fn problems_json(problems: &[Problem]) -> Value {
    problems
        .iter()
        .map(|problem| json!({"pointer": problem.pointer, "message": problem.message}))
        .collect()
}

/// Problems that the store keeps, as JSON.
pub fn store_problems_json(problems: &[crate::store::Problem]) -> Value {
    problems
        .iter()
        .map(|problem| json!({"pointer": problem.pointer, "message": problem.message}))
        .collect()
}

/// A test's report as JSON.
pub fn checks_json(checks: &[Check]) -> Value {
    checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "verdict": verdict(check),
                "detail": check.detail,
                "remedy": if check.remedy.is_empty() { Value::Null } else { json!(check.remedy) },
            })
        })
        .collect()
}

/// The word for how a check ended.
pub fn verdict(check: &Check) -> &'static str {
    use crate::contract::connector::Verdict;
    match check.verdict {
        Verdict::Passed => "passed",
        Verdict::Warned => "warned",
        Verdict::Failed => "failed",
        Verdict::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_of_a_configuration_are_told_at_once_each_with_its_place() {
        let problem = |pointer: &str, message: &str| Problem {
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        };
        let error = ConnectionError::Configuration(vec![
            problem("/baseUrl", "is missing"),
            problem("", "is odd"),
        ]);
        let failure = Failure::from(error);
        assert_eq!(failure.exit, Exit::Input);
        assert_eq!(
            failure.message,
            "the configuration has 2 problems\n  /baseUrl: is missing\n  the document: is odd"
        );
        assert_eq!(
            failure.details["problems"][0],
            json!({"pointer": "/baseUrl", "message": "is missing"})
        );
    }

    #[test]
    fn a_reached_limit_is_named_with_the_flag_that_raises_it() {
        let failure = Failure::from(CallError::Limit {
            verb: "sync",
            reached: LimitReached {
                name: "memory",
                value: 64,
            },
        });
        assert_eq!(failure.exit, Exit::Component);
        assert!(failure.remedy.unwrap().contains("--limit-memory"));
    }
}
