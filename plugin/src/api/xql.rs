//! XQL: the day's quota, starting a query, and asking for its results.

use super::client::{Client, Reply, kind_of};
use super::fault::Fault;
use super::page::whole_number;
use super::stream::RowStream;
use super::{body, classify, client, said};
use crate::decimal::decimal;
use crate::describe::Call;
use crate::json_text::json_text;
use crate::platform::Platform;
use serde_json::{Map, Value, json};

/// The day's XQL quota in the vendor's units. Every field may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quota {
    /// What the licence gives each day.
    pub license_quota: Option<f64>,
    /// What was bought on top of it.
    pub additional_purchased_quota: Option<f64>,
    /// What is used of it today: `daily_used_quota` of newer tenants, or `used_quota`.
    pub used_quota: Option<f64>,
}

impl Quota {
    /// What may be used in a day; unknown where the reply does not say.
    pub fn daily(&self) -> Option<f64> {
        Some(self.license_quota? + self.additional_purchased_quota.unwrap_or(0.0))
    }

    fn read(fields: &Map<String, Value>) -> Quota {
        let units = |name: &str| {
            let units = match fields.get(name)? {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => decimal(text.trim()),
                _ => None,
            };
            units.filter(|units| units.is_finite() && *units >= 0.0)
        };
        Quota {
            license_quota: units("license_quota"),
            additional_purchased_quota: units("additional_purchased_quota"),
            used_quota: units("daily_used_quota").or_else(|| units("used_quota")),
        }
    }
}

/// How far a query is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryStatus {
    /// Still running.
    Pending,
    /// Done.
    Success,
    /// Done, and some of the data could not be read.
    PartialSuccess,
    /// Failed.
    Failed,
    /// A word that the documentation does not name, as it came.
    Unknown(String),
}

impl QueryStatus {
    fn read(value: Option<&Value>) -> QueryStatus {
        let word = value.and_then(Value::as_str).unwrap_or_default();
        // Lower case was met on some tenants.
        match word.to_ascii_uppercase().as_str() {
            "PENDING" | "RUNNING" => QueryStatus::Pending,
            "SUCCESS" => QueryStatus::Success,
            "PARTIAL_SUCCESS" => QueryStatus::PartialSuccess,
            "FAIL" | "FAILED" => QueryStatus::Failed,
            _ => QueryStatus::Unknown(word.to_owned()),
        }
    }
}

/// Where a query's rows are.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryRows {
    /// Here; at most 1,000.
    Inline(Vec<Value>),
    /// To be read with `get_query_results_stream` by this id.
    Stream(String),
}

/// An answer about a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryAnswer {
    /// How far it is.
    pub status: QueryStatus,
    /// Its rows, where it is done and has some to show.
    pub rows: Option<QueryRows>,
    /// How many rows it found, as the API says.
    pub number_of_results: Option<u64>,
    /// What is left of the day's quota.
    pub remaining_quota: Option<f64>,
    /// What it cost, over all tenants that it asked.
    pub cost: Option<f64>,
    /// Why it failed, in the API's words.
    pub error: Option<String>,
}

impl<P: Platform> Client<P> {
    /// The day's quota and what is used of it.
    pub async fn xql_quota(&self) -> Result<Reply<Quota>, Fault> {
        let reply = self.ask(Call::GetXqlQuota, json!({})).await?;
        match &reply.value {
            Value::Object(fields) => {
                let quota = Quota::read(fields);
                Ok(reply.map(|_| quota))
            }
            other => {
                let what = format!("{} in \"reply\"", kind_of(other));
                Err(self.wrong_shape(Call::GetXqlQuota, reply.headers, &what))
            }
        }
    }

    /// Starts a query over the last `relative_time` milliseconds (datasets that hold a state, as `va_*`, ignore it), and
    /// gives its id. Costs quota, and is never repeated by the host.
    pub async fn start_xql_query(
        &self,
        query: &str,
        relative_time: u64,
    ) -> Result<Reply<String>, Fault> {
        let data =
            json!({"query": query, "tenants": [], "timeframe": {"relativeTime": relative_time}});
        let reply = self.ask(Call::StartXqlQuery, data).await?;
        match query_id(&reply.value) {
            Some(id) => Ok(reply.map(|_| id)),
            None => {
                let what = format!("{} in \"reply\" and no query id", kind_of(&reply.value));
                Err(self.wrong_shape(Call::StartXqlQuery, reply.headers, &what))
            }
        }
    }

    /// Whether a query is done, and its rows or where to read them. Without a `limit`: with one the API would silently cut
    /// the rows there.
    pub async fn xql_results(&self, query_id: &str) -> Result<Reply<QueryAnswer>, Fault> {
        let data = json!({"query_id": query_id, "pending_flag": true, "format": "json"});
        let reply = self.ask(Call::GetXqlResults, data).await?;
        match reply.value {
            Value::Object(fields) => match answer(fields) {
                Ok(value) => Ok(Reply {
                    value,
                    headers: reply.headers,
                }),
                Err(what) => Err(self.wrong_shape(Call::GetXqlResults, reply.headers, &what)),
            },
            other => {
                let what = format!("{} in \"reply\"", kind_of(&other));
                Err(self.wrong_shape(Call::GetXqlResults, reply.headers, &what))
            }
        }
    }

    /// The rows of a query, one by one as they arrive.
    pub async fn xql_stream(&self, stream_id: &str) -> Result<RowStream<P::Body>, Fault> {
        let call = Call::GetXqlResultsStream;
        let data = json!({"request_data": {"stream_id": stream_id, "is_gzip_compressed": true}});
        let response = self.send(call, json_text(&data).into_bytes()).await?;
        if response.status.is_success() {
            return Ok(RowStream::new(
                response.body,
                response.status.as_u16(),
                self.platform().now(),
            ));
        }
        let (status, headers) = (response.status, response.headers);
        let bytes = match body::whole(response.body, client::MAX_REPLY_BYTES).await {
            Ok(bytes) => bytes,
            Err(error) => {
                return Err(client::with_headers(
                    client::read_fault(call, status, error),
                    headers,
                ));
            }
        };
        let parsed = serde_json::from_slice(&bytes);
        let fault = classify::judge(
            call,
            status,
            &headers,
            &bytes,
            &parsed,
            self.platform().now(),
        )
        .unwrap_or_else(|| self.wrong_shape(call, headers.clone(), "an error without a status"));
        Err(client::with_headers(fault, headers))
    }
}

/// A bare text, or an object with the id under one of the names that were met.
fn query_id(reply: &Value) -> Option<String> {
    let id = match reply {
        Value::String(id) => Some(id),
        Value::Object(fields) => {
            ["query_id", "search_id", "execution_id"]
                .iter()
                .find_map(|name| match fields.get(*name) {
                    Some(Value::String(id)) => Some(id),
                    _ => None,
                })
        }
        _ => None,
    };
    id.filter(|id| !id.trim().is_empty()).cloned()
}

fn answer(mut fields: Map<String, Value>) -> Result<QueryAnswer, String> {
    let rows = match fields.remove("results") {
        None | Some(Value::Null) => None,
        Some(Value::Array(rows)) => Some(QueryRows::Inline(rows)),
        Some(Value::Object(mut results)) => {
            match (results.remove("data"), results.remove("stream_id")) {
                (Some(Value::Array(rows)), _) => Some(QueryRows::Inline(rows)),
                (_, Some(Value::String(id))) if !id.is_empty() => Some(QueryRows::Stream(id)),
                (None | Some(Value::Null), _) => None,
                (Some(other), _) => {
                    return Err(format!("{} in \"reply.results.data\"", kind_of(&other)));
                }
            }
        }
        Some(other) => return Err(format!("{} in \"reply.results\"", kind_of(&other))),
    };
    let float = |value: &Value| value.as_f64();
    let cost = match fields.get("query_cost") {
        Some(Value::Object(tenants)) => Some(tenants.values().filter_map(float).sum()),
        Some(value) => value.as_f64(),
        None => None,
    };
    let error = ["error", "err_msg", "error_details"]
        .iter()
        .filter_map(|name| fields.get(*name))
        .find(|value| !value.is_null())
        .map(|value| {
            said::excerpt(
                value
                    .as_str()
                    .map_or_else(|| json_text(value), str::to_owned)
                    .as_bytes(),
            )
        });
    Ok(QueryAnswer {
        status: QueryStatus::read(fields.get("status")),
        rows,
        number_of_results: fields.get("number_of_results").and_then(whole_number),
        remaining_quota: fields.get("remaining_quota").and_then(float),
        cost,
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> QueryAnswer {
        let Value::Object(fields) = value else {
            panic!("not an object");
        };
        answer(fields).unwrap()
    }

    #[test]
    fn a_query_id_comes_bare_or_in_an_object() {
        assert_eq!(query_id(&json!("q_inv")).as_deref(), Some("q_inv"));
        assert_eq!(
            query_id(&json!({"search_id": "q_inv"})).as_deref(),
            Some("q_inv")
        );
        assert_eq!(query_id(&json!("")), None);
        assert_eq!(query_id(&json!(null)), None);
    }

    #[test]
    fn rows_come_inline_or_as_a_stream() {
        let inline = read(
            json!({"status": "success", "number_of_results": 1, "query_cost": {"t": 0.5, "u": 0.25}, "results": {"data": [{"a": 1}]}}),
        );
        assert_eq!(inline.status, QueryStatus::Success);
        assert_eq!(inline.rows, Some(QueryRows::Inline(vec![json!({"a": 1})])));
        assert_eq!(inline.cost, Some(0.75));
        let stream = read(json!({"status": "PARTIAL_SUCCESS", "results": {"stream_id": "s"}}));
        assert_eq!(stream.status, QueryStatus::PartialSuccess);
        assert_eq!(stream.rows, Some(QueryRows::Stream("s".into())));
        assert_eq!(read(json!({"status": "PENDING"})).rows, None);
        assert_eq!(
            read(json!({"status": "later"})).status,
            QueryStatus::Unknown("later".into())
        );
    }

    #[test]
    fn the_daily_quota_is_the_licence_and_what_was_bought() {
        let quota = |value: Value| {
            let Value::Object(fields) = value else {
                panic!("not an object");
            };
            Quota::read(&fields)
        };
        let bought = quota(
            json!({"license_quota": 5, "additional_purchased_quota": 10.0, "used_quota": 12, "daily_used_quota": 3}),
        );
        assert_eq!((bought.daily(), bought.used_quota), (Some(15.0), Some(3.0)));
        assert_eq!(quota(json!({"used_quota": 0.08})).daily(), None);
        assert_eq!(quota(json!({"license_quota": -1})).daily(), None);
    }
}
