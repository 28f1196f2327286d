//! Faults that answer in place of the API: limits, errors, gateways, answers that are none.

use http::StatusCode;

use super::fault::Fault;
use crate::clock::http_date;
use crate::json::Json;
use crate::reply::{PROCESSING_ERROR, Reply};

const HTML: &str = "text/html";

/// What stands in place of an answer; `None` when the fault leaves the API to answer. `now` is the tenant's time.
pub fn instead(fault: Fault, retry_after: u32, now: i64) -> Option<Reply> {
    let wait = |reply: Reply, text: String| Reply {
        retry_after: Some(text),
        ..reply
    };
    let then = now.saturating_add(i64::from(retry_after).saturating_mul(1_000));
    let reply = match fault {
        Fault::RateLimited => Reply::too_many(None),
        Fault::RateLimitedSeconds => Reply::too_many(Some(retry_after)),
        Fault::RateLimitedDate => wait(Reply::too_many(None), http_date(then)),
        Fault::ErrorText => Reply::waitress(),
        Fault::ErrorJson => Reply::business("reached max number of retries"),
        Fault::ErrorObject => internal(|json| {
            json.begin_object();
            json.key_text("err_msg", "the request could not be processed");
            json.key_null("query_cost");
            json.end_object();
        }),
        Fault::ErrorList => internal(|json| {
            json.begin_list();
            json.begin_object();
            json.key_text("type", "missing");
            json.key("loc");
            json.begin_list();
            json.text("request_data");
            json.end_list();
            json.key_text("msg", "Field required");
            json.end_object();
            json.end_list();
        }),
        Fault::ErrorHtml => page(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::ErrorEmpty => Reply::of_bytes(StatusCode::INTERNAL_SERVER_ERROR, HTML, Vec::new()),
        Fault::BadGateway => page(StatusCode::BAD_GATEWAY),
        Fault::Unavailable => page(StatusCode::SERVICE_UNAVAILABLE),
        Fault::UnavailableSeconds => wait(
            page(StatusCode::SERVICE_UNAVAILABLE),
            retry_after.to_string(),
        ),
        Fault::GatewayTimeout => page(StatusCode::GATEWAY_TIMEOUT),
        Fault::ErrorIn200 => Reply {
            status: StatusCode::OK,
            ..Reply::business("reached max number of retries")
        },
        Fault::HtmlPage => page(StatusCode::OK),
        Fault::EmptyBody => Reply::json(Vec::new()),
        Fault::Unauthorized => Reply::unauthorized(),
        Fault::Forbidden => Reply::forbidden(),
        _ => return None,
    };
    Some(reply)
}

fn internal(extra: impl FnOnce(&mut Json)) -> Reply {
    Reply::error(StatusCode::INTERNAL_SERVER_ERROR, PROCESSING_ERROR, extra)
}

/// What gateways and sign-in pages in front of an API look like.
fn page(status: StatusCode) -> Reply {
    let (code, words) = (
        status.as_str(),
        status.canonical_reason().unwrap_or_default(),
    );
    let text = format!(
        "<html>\r\n<head><title>{code} {words}</title></head>\r\n<body>\r\n<center><h1>{code} {words}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Reply::of_bytes(status, HTML, text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Body;

    const NOW: i64 = 784_887_151_000;

    fn answer(fault: Fault) -> (u16, Option<String>, String) {
        let reply = instead(fault, 3, NOW).expect("an answer in place of the API's");
        let Body::Bytes(bytes) = reply.body else {
            panic!("a stream")
        };
        (
            reply.status.as_u16(),
            reply.retry_after,
            String::from_utf8(bytes).unwrap(),
        )
    }

    #[test]
    fn a_429_names_a_time_in_seconds_as_a_date_or_not_at_all() {
        assert_eq!(answer(Fault::RateLimited).1, None);
        assert_eq!(answer(Fault::RateLimitedSeconds).1, Some("3".into()));
        let date = answer(Fault::RateLimitedDate);
        assert_eq!(
            (date.0, date.1.as_deref()),
            (429, Some("Tue, 15 Nov 1994 08:12:34 GMT"))
        );
    }

    #[test]
    fn a_500_comes_in_all_its_kinds() {
        let extra = |fault| {
            let (status, _, text) = answer(fault);
            assert_eq!(status, 500);
            let body: serde_json::Value = serde_json::from_str(&text).unwrap();
            body["reply"]["err_extra"].clone()
        };
        assert!(extra(Fault::ErrorJson).is_string());
        assert!(extra(Fault::ErrorObject).is_object());
        assert!(extra(Fault::ErrorList).is_array());
        assert_eq!(answer(Fault::ErrorText).2.len(), 110);
        assert!(answer(Fault::ErrorHtml).2.contains("<h1>500"));
        assert_eq!(answer(Fault::ErrorEmpty).2, "");
    }

    #[test]
    fn answers_that_are_none_come_with_200() {
        let (status, _, text) = answer(Fault::ErrorIn200);
        assert!(
            status == 200 && text.contains("\"err_code\": 500"),
            "{text}"
        );
        assert!(answer(Fault::HtmlPage).2.contains("<html>"));
        assert_eq!(answer(Fault::EmptyBody), (200, None, String::new()));
    }

    #[test]
    fn gateways_answer_in_html() {
        for (fault, status) in [
            (Fault::BadGateway, 502),
            (Fault::Unavailable, 503),
            (Fault::GatewayTimeout, 504),
        ] {
            let (code, wait, text) = answer(fault);
            assert_eq!((code, wait), (status, None));
            assert!(text.starts_with("<html>"));
        }
        assert_eq!(answer(Fault::UnavailableSeconds).1, Some("3".into()));
    }

    #[test]
    fn other_faults_leave_the_api_to_answer() {
        for fault in [Fault::Reset, Fault::ShortPage, Fault::KeyRevoked] {
            assert!(instead(fault, 3, NOW).is_none());
        }
    }
}
