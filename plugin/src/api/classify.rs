//! Which failure an answer stands for. Cortex XDR says little by its status: 500 is the answer for a wrong path, a missing
//! licence, a used-up quota and a query that it can't parse, and 200 may carry an error. So the text is read too.

use super::fault::{Fault, FaultKind};
use super::said::{Said, excerpt, looks_like_html};
use super::time;
use crate::describe::Call;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

const ROLE: &str = "Give the API key's role this permission (the role Viewer has all that the connector reads; XQL may ask for more), or \
                    leave out the data stream that needs it.";

/// The fault that an answer stands for; none where it is a success.
pub(super) fn judge(
    call: Call,
    status: StatusCode,
    headers: &HeaderMap,
    bytes: &[u8],
    parsed: &Result<Value, serde_json::Error>,
    now: u64,
) -> Option<Fault> {
    let said = parsed.as_ref().ok().and_then(Said::read);
    let code = effective(status, said.as_ref())?;
    let words = match &said {
        Some(said) => said.text.clone(),
        None => excerpt(bytes),
    };
    let lower = words.to_lowercase();
    let quoted = if words.is_empty() {
        format!("HTTP {}", status.as_u16())
    } else {
        format!("HTTP {}: \"{words}\"", status.as_u16())
    };
    let name = call.name();
    let (kind, message, remedy): (FaultKind, String, String) = match code {
        401 => (
            FaultKind::Unauthorized,
            format!("The API did not accept the key for {name} ({quoted})."),
            "Check the API key, its id and its security level (Advanced or Standard) under Settings, Configurations, API Keys, and \
             whether it expired; the tenant answers the same for each of them."
                .into(),
        ),
        402 => unlicensed(name, &quoted),
        403 => (
            FaultKind::Forbidden,
            format!("The API key lacks the permission for {name} ({quoted})."),
            ROLE.into(),
        ),
        404 => gone_or_unknown(call, &quoted),
        400 | 422 => (
            FaultKind::BadRequest,
            format!("The API did not understand {name} ({quoted})."),
            "Report this with the tenant's product version: the connector's request does not fit this tenant.".into(),
        ),
        429 => too_many(name, &quoted, headers, now),
        408 | 502 | 503 | 504 => (
            FaultKind::Unavailable,
            format!("The API is not available for {name} ({quoted})."),
            "Try again later; the status page of the vendor tells about outages.".into(),
        ),
        500 => of_500(call, &lower, &quoted, said.is_some(), headers, now),
        other => (
            FaultKind::UnexpectedStatus,
            format!("The API answered {name} with a status that its documentation does not name ({quoted})."),
            match other {
                300..400 => "Check the base URL: the API never redirects, a portal or a proxy does.",
                _ => "Check the base URL; otherwise report it with the tenant's product version.",
            }
            .into(),
        ),
    };
    Some(Fault::new(
        call,
        Some(status.as_u16()),
        kind,
        message,
        remedy,
    ))
}

/// The code that counts: the status, unless the reply names a more telling one under a 200 or a 500.
fn effective(status: StatusCode, said: Option<&Said>) -> Option<u16> {
    let inner = said
        .and_then(|said| said.code)
        .filter(|code| (400..600).contains(code));
    match status.as_u16() {
        200..300 => match (inner, said) {
            (Some(code), _) => Some(code),
            (None, Some(said)) if said.under_200 => Some(500),
            _ => None,
        },
        500 => Some(inner.unwrap_or(500)),
        code => Some(code),
    }
}

fn unlicensed(name: &str, quoted: &str) -> (FaultKind, String, String) {
    (
        FaultKind::Unlicensed,
        format!("The tenant's licence does not cover {name} ({quoted})."),
        "Check the tenant's licences (endpoints and alerts: Cortex XDR Prevent or Pro; XQL: Pro; vulnerabilities: the Host Insights \
         add-on too), or leave out the data stream that needs it."
            .into(),
    )
}

fn gone_or_unknown(call: Call, quoted: &str) -> (FaultKind, String, String) {
    if matches!(call, Call::GetXqlResults | Call::GetXqlResultsStream) {
        return gone(call, quoted);
    }
    unknown_call(call.name(), quoted)
}

fn gone(call: Call, quoted: &str) -> (FaultKind, String, String) {
    (
        FaultKind::QueryGone,
        format!(
            "The API no longer knows the XQL query that {} asked for ({quoted}).",
            call.name()
        ),
        "Start the sync again: it starts the query anew.".into(),
    )
}

fn unknown_call(name: &str, quoted: &str) -> (FaultKind, String, String) {
    (
        FaultKind::UnknownCall,
        format!("The server does not know {name} ({quoted})."),
        "Check that the base URL is the tenant's API address (api-<tenant>.xdr.<region>.paloaltonetworks.com) and that the tenant's \
         product has this call: newer generations replaced some."
            .into(),
    )
}

fn too_many(
    name: &str,
    quoted: &str,
    headers: &HeaderMap,
    now: u64,
) -> (FaultKind, String, String) {
    let again = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| match value.trim().parse::<u64>() {
            Ok(seconds) => Some(now.saturating_add(seconds.saturating_mul(1_000))),
            Err(_) => time::http_date(value),
        });
    (
        FaultKind::TooManyRequests(again),
        format!("The API refuses {name} for now: too many requests ({quoted})."),
        "Lower the connection's rate, or find the other tools that use up the tenant's limit of 10 requests a second.".into(),
    )
}

/// A 500 in all its meanings.
fn of_500(
    call: Call,
    lower: &str,
    quoted: &str,
    is_json: bool,
    headers: &HeaderMap,
    now: u64,
) -> (FaultKind, String, String) {
    let name = call.name();
    let has = |words: &str| lower.contains(words);
    if !is_json {
        if has("waitress") {
            return unknown_call(name, quoted);
        }
        return (
            FaultKind::Unavailable,
            format!(
                "The server failed at {name} without a reason that the API would give ({quoted})."
            ),
            "Try again later; if it stays, check for a proxy between the host and the tenant."
                .into(),
        );
    }
    // The order matters: the text about the quota names running queries too.
    if has("quota_exceeded") || (has("quota") && (has("exceed") || has("insufficient"))) {
        return (
            FaultKind::QuotaExhausted(time::next_midnight(now)),
            format!("The tenant's daily XQL quota is used up ({quoted})."),
            "Wait until 00:00 UTC, when it begins anew, buy more query units, or stop other tools that use them.".into(),
        );
    }
    if has("parallel running queries") || has("max number of running queries") {
        return (
            FaultKind::TooManyQueries,
            format!("The tenant runs as many XQL queries as it may at the same time ({quoted})."),
            "Try again when the tenant's other queries are done (at most four run in parallel)."
                .into(),
        );
    }
    if has("parse_err") {
        return (
            FaultKind::QueryRefused,
            format!("The API could not parse the XQL query ({quoted})."),
            "Where the text names a dataset, the tenant does not have it: check its licence for Host Insights.".into(),
        );
    }
    if has("no identity threat") || has("license") || has("licence") || has("not purchased") {
        return unlicensed(name, quoted);
    }
    if has("insufficient permissions") {
        return (
            FaultKind::Forbidden,
            format!("The API key lacks the permission for {name} ({quoted})."),
            ROLE.into(),
        );
    }
    if has("too many requests") || has("rate limit") {
        return too_many(name, quoted, headers, now);
    }
    if matches!(call, Call::GetXqlResults | Call::GetXqlResultsStream)
        && (has("not found")
            || has("not exist")
            || has("expired")
            || has("unknown query")
            || has("invalid query"))
    {
        return gone(call, quoted);
    }
    (
        FaultKind::Refused,
        format!("The API failed at {name} and gives this reason ({quoted})."),
        "Act on the API's reason; if it tells nothing, try again later and then ask the vendor's support.".into(),
    )
}

/// An answer with a good status that is no JSON, or stops short.
pub(super) fn not_json(
    call: Call,
    status: StatusCode,
    bytes: &[u8],
    error: &serde_json::Error,
) -> Fault {
    let name = call.name();
    let words = excerpt(bytes);
    let (message, remedy) = if bytes.iter().all(u8::is_ascii_whitespace) {
        (
            format!("{name} was answered with an empty body."),
            "Try again; if it stays, check for a proxy between the host and the tenant.",
        )
    } else if looks_like_html(bytes) {
        (
            format!("{name} was answered with a web page instead of JSON: \"{words}\"."),
            "Check that the base URL is the API's address and not the console's, and for a proxy or a login page on the way.",
        )
    } else if error.is_eof() {
        (
            format!(
                "The JSON reply of {name} stops short after {} bytes.",
                bytes.len()
            ),
            "Try again; if it stays, check for a proxy that cuts large replies.",
        )
    } else {
        (
            format!("{name} was answered with something that is no JSON ({error}): \"{words}\"."),
            "Check that the base URL is the API's address; otherwise report it with the tenant's product version.",
        )
    };
    Fault::new(
        call,
        Some(status.as_u16()),
        FaultKind::NotJson,
        message,
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::types::Cause;
    use serde_json::json;

    const NOW: u64 = 1_709_164_800_001;

    fn judged(call: Call, status: u16, body: &[u8]) -> Option<Fault> {
        with_headers(call, status, body, &HeaderMap::new())
    }

    fn with_headers(call: Call, status: u16, body: &[u8], headers: &HeaderMap) -> Option<Fault> {
        let parsed = serde_json::from_slice(body);
        judge(
            call,
            StatusCode::from_u16(status).unwrap(),
            headers,
            body,
            &parsed,
            NOW,
        )
    }

    fn kind(status: u16, body: &str) -> Option<FaultKind> {
        judged(Call::GetEndpoint, status, body.as_bytes()).map(|fault| fault.kind)
    }

    #[test]
    fn every_documented_status_has_its_own_fault() {
        let reply = |code: u16| {
            json!({"reply": {"err_code": code, "err_msg": "said so", "err_extra": null}})
                .to_string()
        };
        for (code, expected) in [
            (400, FaultKind::BadRequest),
            (401, FaultKind::Unauthorized),
            (402, FaultKind::Unlicensed),
            (403, FaultKind::Forbidden),
            (404, FaultKind::UnknownCall),
            (408, FaultKind::Unavailable),
            (422, FaultKind::BadRequest),
            (429, FaultKind::TooManyRequests(None)),
            (500, FaultKind::Refused),
            (502, FaultKind::Unavailable),
            (418, FaultKind::UnexpectedStatus),
        ] {
            assert_eq!(kind(code, &reply(code)), Some(expected), "{code}");
        }
    }

    #[test]
    fn a_fault_quotes_the_api_and_says_what_to_change() {
        let fault = judged(
            Call::GetEndpoint,
            403,
            br#"{"reply": {"err_code": 403, "err_msg": "Insufficient permissions for api key", "err_extra": null}}"#,
        )
        .unwrap();
        assert!(fault.message.contains("get_endpoint"), "{}", fault.message);
        assert!(
            fault
                .message
                .contains("Insufficient permissions for api key"),
            "{}",
            fault.message
        );
        assert!(fault.remedy.contains("role"), "{}", fault.remedy);
        let contract = crate::contract::Fault::from(fault);
        assert!(matches!(contract.cause, Cause::Forbidden));
        assert_eq!(
            (contract.call.as_str(), contract.status),
            ("get_endpoint", Some(403))
        );
    }

    #[test]
    fn a_licence_problem_that_comes_as_500_is_a_licence_problem() {
        let body = r#"{"reply": {"err_code": 500, "err_msg": "An error occurred while processing XDR public API", "err_extra": "No identity threat"}}"#;
        assert_eq!(kind(500, body), Some(FaultKind::Unlicensed));
    }

    #[test]
    fn the_plain_text_500_for_a_wrong_path_is_told_from_a_failing_server() {
        let waitress = "Internal Server Error\r\n\r\nThe server encountered an unexpected internal server error\r\n\r\n(generated by waitress)";
        assert_eq!(kind(500, waitress), Some(FaultKind::UnknownCall));
        assert_eq!(
            kind(500, "<html><h1>Oops</h1></html>"),
            Some(FaultKind::Unavailable)
        );
    }

    #[test]
    fn a_used_up_quota_names_the_next_midnight() {
        let body = json!({"reply": {"err_code": 500, "err_msg": "An error occurred", "err_extra": {
            "err_msg": "query usage exceeded max daily quota",
            "quota_info": {"used_quota": 1.0, "max_quota": 1.0, "error_type": "QUOTA_EXCEEDED"},
            "total_daily_running_queries": 2264}}});
        let fault = judged(Call::StartXqlQuery, 500, body.to_string().as_bytes()).unwrap();
        assert_eq!(fault.kind, FaultKind::QuotaExhausted(1_709_251_200_000));
        assert!(matches!(
            fault.cause(),
            Cause::Exhausted(Some(1_709_251_200_000))
        ));
    }

    #[test]
    fn too_many_parallel_queries_is_told_in_both_wordings() {
        for text in [
            "reached max allowed amount of parallel running queries",
            "maximum allowed number of parallel running queries has been reached",
        ] {
            let body = json!({"reply": {"err_code": 500, "err_msg": "An error occurred", "err_extra": {"err_msg": text}}});
            assert_eq!(
                kind(500, &body.to_string()),
                Some(FaultKind::TooManyQueries)
            );
        }
    }

    #[test]
    fn a_query_that_cannot_be_parsed_says_so() {
        let body = json!({"reply": {"err_code": 500, "err_msg": "An error occurred", "err_extra": {"parse_err": "dataset va_cves"}}});
        assert_eq!(kind(500, &body.to_string()), Some(FaultKind::QueryRefused));
    }

    #[test]
    fn an_error_under_status_200_is_an_error() {
        let body = r#"{"reply": {"err_code": 401, "err_msg": "Public API request unauthorized"}}"#;
        assert_eq!(kind(200, body), Some(FaultKind::Unauthorized));
        assert_eq!(
            kind(200, r#"{"reply": {"err_code": "403"}}"#),
            Some(FaultKind::Forbidden)
        );
        assert_eq!(
            kind(200, r#"{"reply": {"err_msg": "went wrong"}}"#),
            Some(FaultKind::Refused)
        );
        assert_eq!(kind(200, r#"{"reply": {"endpoints": []}}"#), None);
        assert_eq!(kind(200, r#"{"reply": "ad21c1e1492d4c_667_inv"}"#), None);
        assert_eq!(
            kind(200, r#"{"reply": {"status": "FAIL", "error": "x"}}"#),
            None
        );
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "30".parse().unwrap());
        let fault = with_headers(Call::GetEndpoint, 429, b"", &headers).unwrap();
        assert_eq!(fault.kind, FaultKind::TooManyRequests(Some(NOW + 30_000)));
        headers.insert(
            header::RETRY_AFTER,
            "Thu, 29 Feb 2024 00:01:00 GMT".parse().unwrap(),
        );
        let fault = with_headers(Call::GetEndpoint, 429, b"", &headers).unwrap();
        assert_eq!(
            fault.kind,
            FaultKind::TooManyRequests(Some(1_709_164_860_000))
        );
    }

    #[test]
    fn every_envelope_for_errors_gives_its_text() {
        for body in [
            json!({"data": {"err_msg": "said", "metadata": {"err_code": 500, "err_extra": null}}}),
            json!({"err_msg": "said", "metadata": {"err_code": 500}}),
            json!({"description": "said", "errors": [{"field": "a", "message": "b"}]}),
            json!({"error": "said"}),
            json!({"errorCode": 500, "message": "said", "details": null}),
            json!({"detail": [{"loc": ["body"], "msg": "said", "type": "x"}]}),
            json!({"reply": "said"}),
        ] {
            let fault = judged(Call::GetEndpoint, 422, body.to_string().as_bytes()).unwrap();
            assert!(fault.message.contains("said"), "{body}: {}", fault.message);
        }
    }

    #[test]
    fn a_web_page_is_quoted_short_and_without_its_tags() {
        let page = format!(
            "<!DOCTYPE html><html><head><style>p {{}}</style><script>steal()</script></head><body><h1>502 Bad\u{7} Gateway</h1>{}</body>",
            "x".repeat(5_000)
        );
        let fault = judged(Call::GetEndpoint, 502, page.as_bytes()).unwrap();
        assert!(
            fault.message.contains("502 Bad Gateway"),
            "{}",
            fault.message
        );
        assert!(
            !fault.message.contains("steal") && !fault.message.contains('<'),
            "{}",
            fault.message
        );
        assert!(fault.message.chars().count() < 320, "{}", fault.message);
    }

    #[test]
    fn replies_that_are_no_json_are_told_apart() {
        let told = |bytes: &[u8]| {
            let error = serde_json::from_slice::<Value>(bytes).unwrap_err();
            not_json(Call::GetEndpoint, StatusCode::OK, bytes, &error).message
        };
        assert!(told(br#"{"reply": {"endpoints": [{"#).contains("stops short"));
        assert!(told(b"<html>login</html>").contains("web page"));
        assert!(told(b" ").contains("empty body"));
        assert!(told(b"{]").contains("no JSON"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_judge_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), status in 100_u16..600) {
            let _ = judged(Call::GetXqlResults, status, &bytes);
            let _ = excerpt(&bytes);
            let _ = excerpt(&[b"<", bytes.as_slice()].concat());
        }
    }
}
