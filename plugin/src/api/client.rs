//! The client: one method per call that the connector makes.

use super::body::{self, ReadError};
use super::classify;
use super::fault::{Fault, FaultKind};
use super::sign;
use crate::configure::{SecurityLevel, Settings};
use crate::describe::Call;
use crate::json_text::json_text;
use crate::platform::{Failure, Platform, Request, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::rc::Rc;

/// The largest reply that is read whole, in bytes. A page of 100 alerts with all their events is a few megabytes at the
/// very most; XQL rows beyond 1,000 come as a stream and are never held whole.
pub const MAX_REPLY_BYTES: usize = 64 << 20;

/// A successful answer and its headers.
#[derive(Debug, Clone)]
pub struct Reply<T> {
    /// What the API replied.
    pub value: T,
    /// The answer's headers (`Date` tells the clock's skew).
    pub headers: HeaderMap,
}

impl<T> Reply<T> {
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            value: with(self.value),
            headers: self.headers,
        }
    }
}

/// The Cortex XDR API of one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client<P> {
    platform: P,
    api_key_id: Rc<str>,
    security_level: SecurityLevel,
}

impl<P: Platform> Client<P> {
    /// A client for the connection that the settings describe.
    pub fn new(platform: P, settings: &Settings) -> Client<P> {
        Client {
            platform,
            api_key_id: settings.api_key_id.as_str().into(),
            security_level: settings.security_level,
        }
    }

    /// The same client with a key of another kind: the check tries the other one where the configured one is refused.
    #[must_use]
    pub fn with_security_level(&self, security_level: SecurityLevel) -> Client<P> {
        Client {
            security_level,
            ..self.clone()
        }
    }

    /// What the requests go through.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Sends a call with `request_data` as the vendor's envelope wants it, and reads the value of `reply`, whatever its type.
    pub(super) async fn ask(&self, call: Call, request_data: Value) -> Result<Reply<Value>, Fault> {
        let mut envelope = serde_json::Map::new();
        envelope.insert("request_data".into(), request_data);
        let body = json_text(&Value::Object(envelope)).into_bytes();
        let answer = self.exchange(call, body).await?;
        let headers = answer.headers;
        match answer.value {
            Value::Object(mut fields) => match fields.remove("reply") {
                Some(value) => Ok(Reply { value, headers }),
                None => Err(self.wrong_shape(call, headers, "an object without \"reply\"")),
            },
            other => Err(self.wrong_shape(call, headers, kind_of(&other))),
        }
    }

    /// Sends a call and reads the whole answer as JSON, errors of all kinds sorted out.
    pub(super) async fn exchange(&self, call: Call, body: Vec<u8>) -> Result<Reply<Value>, Fault> {
        let response = self.send(call, body).await?;
        let (status, headers) = (response.status, response.headers);
        let bytes = match body::whole(response.body, MAX_REPLY_BYTES).await {
            Ok(bytes) => bytes,
            Err(error) => return Err(with_headers(read_fault(call, status, error), headers)),
        };
        let parsed = serde_json::from_slice::<Value>(&bytes);
        let judged = classify::judge(call, status, &headers, &bytes, &parsed, self.platform.now());
        match (judged, parsed) {
            (Some(fault), _) => Err(with_headers(fault, headers)),
            (None, Ok(value)) => Ok(Reply { value, headers }),
            (None, Err(error)) => Err(with_headers(
                classify::not_json(call, status, &bytes, &error),
                headers,
            )),
        }
    }

    /// Sends a call; the answer's body is still to be read.
    pub(super) async fn send(&self, call: Call, body: Vec<u8>) -> Result<Response<P::Body>, Fault> {
        let request = Request {
            call,
            headers: sign::headers(self.security_level, &self.api_key_id),
            body,
            // Starting a query costs quota each time; all other calls only look.
            repeatable: call != Call::StartXqlQuery,
        };
        self.platform
            .send(request)
            .await
            .map_err(|failure| failed(call, None, failure))
    }

    pub(super) fn wrong_shape(&self, call: Call, headers: HeaderMap, what: &str) -> Fault {
        let fault = Fault::new(
            call,
            Some(StatusCode::OK.as_u16()),
            FaultKind::WrongShape,
            format!(
                "{} answered with {what}, which is not the reply that the API documents.",
                call.name()
            ),
            "Check that the base URL is the tenant's API address (api-<tenant>.xdr.<region>.paloaltonetworks.com), not a proxy or portal; \
             otherwise report it with the tenant's product version.",
        );
        with_headers(fault, headers)
    }
}

/// The type of a JSON value, for a person.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

pub(super) fn with_headers(mut fault: Fault, headers: HeaderMap) -> Fault {
    *fault.headers = headers;
    fault
}

pub(super) fn read_fault(call: Call, status: StatusCode, error: ReadError) -> Fault {
    match error {
        ReadError::Failure(failure) => failed(call, Some(status.as_u16()), failure),
        ReadError::TooLarge(bound) => Fault::new(
            call,
            Some(status.as_u16()),
            FaultKind::TooLarge,
            format!(
                "The reply of {} is larger than {} MiB and was not read.",
                call.name(),
                bound >> 20
            ),
            "A page holds at most 100 records: report which records are this large.",
        ),
    }
}

/// What the host says about an exchange that gave no (whole) answer.
pub(super) fn failed(call: Call, status: Option<u16>, failure: Failure) -> Fault {
    let name = call.name();
    let (kind, message, remedy) = match failure {
        Failure::Denied(rule) => {
            let message =
                format!("The host refused to send {name}: its rule \"{rule}\" forbids it.");
            (
                FaultKind::HostDenied(rule),
                message,
                "Check the base URL against the origins that the connector declares; for a simulator on this machine allow loopback \
                 addresses.",
            )
        }
        Failure::Limit(limit) => {
            let message = format!("{name} ran into the host's limit \"{limit}\".");
            (
                FaultKind::HostLimit(limit),
                message,
                "Raise this limit of the host, or narrow what is read.",
            )
        }
        Failure::Timeout => (
            FaultKind::Broken,
            format!("{name} got no answer in time."),
            "Try again later; if it stays, check the way from the host to the tenant.",
        ),
        Failure::Connect(why) => (
            FaultKind::Broken,
            format!("{name} could not reach the API: {why}."),
            "Check the base URL's host name, the DNS and the firewall between the host and the tenant.",
        ),
        Failure::Tls(why) => (
            FaultKind::Tls,
            format!("{name}: the server's certificate or handshake was refused: {why}."),
            "Check the base URL's host name and whether a proxy on the way replaces certificates.",
        ),
        Failure::Body(why) => (
            FaultKind::Broken,
            format!("The reply of {name} broke off or could not be decoded: {why}."),
            "Try again; if it stays, check for a proxy that cuts large replies.",
        ),
        Failure::Busy => (
            FaultKind::Broken,
            format!("The reply of {name} was read twice at the same time."),
            "Report this: it is a mistake of the connector.",
        ),
        Failure::Other(why) => (
            FaultKind::Broken,
            format!("{name} failed: {why}."),
            "Try again later.",
        ),
    };
    Fault::new(call, status, kind, message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configure::DataStream;
    use crate::contract::types::Cause;
    use crate::testing::{Answer, FakePlatform, block_on};
    use serde_json::json;

    fn client(api: impl Fn(&Request) -> Result<Answer, Failure> + 'static) -> Client<FakePlatform> {
        let settings = Settings {
            origin: "https://api-test.xdr.us.paloaltonetworks.com".to_owned(),
            api_key_id: "42".to_owned(),
            security_level: SecurityLevel::Advanced,
            tags: Default::default(),
            data_streams: [DataStream::Endpoints].into(),
            alert_sources: Default::default(),
            alert_statuses: Default::default(),
            endpoint_statuses: Default::default(),
            update_existing_assets: None,
            auto_onboard_assets: None,
            full_sync_every_days: 7,
            endpoint_sweep_hours: 24,
            xql_daily_share: 0.5,
        };
        Client::new(FakePlatform::new(api), &settings)
    }

    #[test]
    fn each_failure_of_the_host_is_told_apart() {
        for (failure, cause) in [
            (Failure::Timeout, "unavailable"),
            (Failure::Connect("no route".into()), "unavailable"),
            (Failure::Tls("expired".into()), "unavailable"),
            (Failure::Body("cut short".into()), "unavailable"),
            (Failure::Limit("requests".into()), "limit requests"),
            (Failure::Denied("private-address".into()), "other denied"),
        ] {
            let client = client(move |_| Err(failure.clone()));
            let fault = block_on(client.healthcheck()).unwrap_err();
            let told = match fault.cause() {
                Cause::Unavailable => "unavailable".to_owned(),
                Cause::Limit(name) => format!("limit {name}"),
                Cause::Other(word) => format!("other {word}"),
                other => panic!("{other:?}"),
            };
            assert_eq!(told, cause, "{}", fault.message);
            assert!(
                fault.message.contains("healthcheck") && !fault.remedy.is_empty(),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn a_reply_of_the_wrong_type_is_named() {
        for (body, says) in [
            (json!([1]), "a list"),
            (json!({"other": 1}), "without \"reply\""),
            (json!({"reply": null}), "null in \"reply\""),
            (json!({"reply": true}), "a boolean in \"reply\""),
            (json!({"reply": 7}), "a number in \"reply\""),
        ] {
            let client = client(move |_| Ok(Answer::json(200, &body)));
            let fault = block_on(client.tenant_info()).unwrap_err();
            assert_eq!(fault.kind, FaultKind::WrongShape);
            assert!(fault.message.contains(says), "{}", fault.message);
        }
    }

    #[test]
    fn the_date_is_there_on_replies_and_on_refusals() {
        for status in [200, 401] {
            let client = client(move |_| {
                Ok(Answer::json(status, &json!({"reply": {}}))
                    .with_header("date", "Thu, 29 Feb 2024 00:00:00 GMT"))
            });
            let headers = match block_on(client.tenant_info()) {
                Ok(reply) => reply.headers,
                Err(fault) => *fault.headers,
            };
            assert!(headers.contains_key("date"), "{status}");
        }
    }

    #[test]
    fn the_check_can_try_the_other_kind_of_key() {
        let client = client(|_| Ok(Answer::reply(json!({}))));
        block_on(
            client
                .with_security_level(SecurityLevel::Standard)
                .tenant_info(),
        )
        .unwrap();
        block_on(client.tenant_info()).unwrap();
        let signed: Vec<bool> = client
            .platform()
            .requests()
            .iter()
            .map(|request| {
                request
                    .headers
                    .iter()
                    .any(|(name, _)| name == "x-xdr-nonce")
            })
            .collect();
        assert_eq!(signed, [false, true]);
    }

    #[test]
    fn a_body_larger_than_the_bound_is_not_kept() {
        struct Endless;
        impl crate::platform::Body for Endless {
            async fn read(&mut self, _: u32) -> Result<Vec<u8>, Failure> {
                Ok(vec![b'x'; 1_000])
            }
        }
        assert!(matches!(
            block_on(body::whole(Endless, 10_000)),
            Err(ReadError::TooLarge(10_000))
        ));
    }
}
