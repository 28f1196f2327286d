//! Pages of records: endpoints and alerts.

use super::client::{Client, Reply, kind_of};
use super::fault::Fault;
use crate::describe::Call;
use crate::platform::Platform;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// How many records a page holds at most; the API gives no more per call.
pub const PAGE_RECORDS: u32 = 100;

/// One condition; all of a request's conditions must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The API's name of the field.
    pub field: &'static str,
    /// "in", "eq", "gte", "lte".
    pub operator: &'static str,
    /// A list for "in", otherwise a scalar.
    pub value: Value,
}

impl Filter {
    /// The field is one of these.
    pub fn any_of<S: Into<Value>>(
        field: &'static str,
        values: impl IntoIterator<Item = S>,
    ) -> Filter {
        Filter {
            field,
            operator: "in",
            value: Value::Array(values.into_iter().map(Into::into).collect()),
        }
    }

    /// The field, a time, is not before this many milliseconds since the epoch.
    pub fn since(field: &'static str, milliseconds: u64) -> Filter {
        Filter {
            field,
            operator: "gte",
            value: milliseconds.into(),
        }
    }

    /// The field, a time, is not after this many milliseconds since the epoch.
    pub fn until(field: &'static str, milliseconds: u64) -> Filter {
        Filter {
            field,
            operator: "lte",
            value: milliseconds.into(),
        }
    }
}

/// Which page to read, in ascending order unless the call says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRequest {
    /// What to read; none reads all.
    pub filters: Vec<Filter>,
    /// The field to sort by; the API's own order where none.
    pub sort: Option<&'static str>,
    /// The zero-based offset of the first record.
    pub from: u32,
    /// The offset after the last record; at most [`PAGE_RECORDS`] after `from`.
    pub to: u32,
}

/// A page of records as they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The records; a well-behaved API gives objects.
    pub records: Vec<Value>,
    /// How many match in all, as the API says: absent, null and 9,999 (the cap) all mean "who knows".
    pub total: Option<u64>,
}

impl<P: Platform> Client<P> {
    /// Endpoints in detail. Sort fields: first_seen, last_seen, endpoint_id, scan_status (API reference 3.18).
    pub async fn endpoints(&self, request: &PageRequest) -> Result<Reply<Page>, Fault> {
        // This call alone wants the keyword in capitals (API reference: "case-sensitive").
        self.page(Call::GetEndpoint, request, "ASC", "endpoints")
            .await
    }

    /// Alerts with their events. Sort fields: creation_time, severity.
    pub async fn alerts(&self, request: &PageRequest) -> Result<Reply<Page>, Fault> {
        self.page(Call::GetAlertsMultiEvents, request, "asc", "alerts")
            .await
    }

    /// Alerts with their events, the newest first.
    pub async fn newest_alerts(&self, request: &PageRequest) -> Result<Reply<Page>, Fault> {
        self.page(Call::GetAlertsMultiEvents, request, "desc", "alerts")
            .await
    }

    async fn page(
        &self,
        call: Call,
        request: &PageRequest,
        keyword: &str,
        list: &str,
    ) -> Result<Reply<Page>, Fault> {
        let reply = self.ask(call, request_data(request, keyword)).await?;
        match read_page(reply.value, list) {
            Ok(value) => Ok(Reply {
                value,
                headers: reply.headers,
            }),
            Err(what) => Err(self.page_fault(call, reply.headers, &what)),
        }
    }

    fn page_fault(&self, call: Call, headers: HeaderMap, what: &str) -> Fault {
        self.wrong_shape(call, headers, what)
    }
}

fn request_data(request: &PageRequest, keyword: &str) -> Value {
    let filters: Vec<Value> = request
        .filters
        .iter()
        .map(|filter| json!({"field": filter.field, "operator": filter.operator, "value": filter.value}))
        .collect();
    let mut data = Map::new();
    if !filters.is_empty() {
        data.insert("filters".into(), filters.into());
    }
    data.insert("search_from".into(), request.from.into());
    data.insert("search_to".into(), request.to.into());
    if let Some(field) = request.sort {
        data.insert("sort".into(), json!({"field": field, "keyword": keyword}));
    }
    Value::Object(data)
}

/// The page in a reply. A reply that holds no list is never taken for an empty page: an empty inventory must say so.
fn read_page(reply: Value, list: &str) -> Result<Page, String> {
    match reply {
        Value::Object(fields) => page_in_object(fields, list),
        Value::Array(records) => match <[Value; 1]>::try_from(records) {
            // Some replies wrap the object in a list of one.
            Ok([Value::Object(fields)]) if fields.contains_key(list) => {
                page_in_object(fields, list)
            }
            Ok(one) => Ok(Page {
                records: one.into(),
                total: None,
            }),
            Err(records) => Ok(Page {
                records,
                total: None,
            }),
        },
        other => Err(format!("{} in \"reply\"", kind_of(&other))),
    }
}

fn page_in_object(mut fields: Map<String, Value>, list: &str) -> Result<Page, String> {
    let total = fields.get("total_count").and_then(whole_number);
    match fields.remove(list) {
        Some(Value::Array(records)) => Ok(Page { records, total }),
        Some(Value::Null) if fields.get("result_count").and_then(whole_number) == Some(0) => {
            Ok(Page {
                records: Vec::new(),
                total,
            })
        }
        Some(other) => Err(format!("{} in \"reply.{list}\"", kind_of(&other))),
        None => Err(format!("a \"reply\" without \"{list}\"")),
    }
}

/// A count, also where it came as a text or a float.
pub(super) fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            (float >= 0.0 && float.fract() == 0.0 && float < 9_007_199_254_740_992.0)
                .then_some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_from_the_documented_reply() {
        let page = read_page(
            json!({"total_count": 7, "result_count": 1, "alerts": [{"alert_id": "1"}]}),
            "alerts",
        );
        assert_eq!(
            page,
            Ok(Page {
                records: vec![json!({"alert_id": "1"})],
                total: Some(7)
            })
        );
    }

    #[test]
    fn a_null_total_is_unknown_and_not_zero() {
        let page = read_page(json!({"total_count": null, "alerts": []}), "alerts");
        assert_eq!(page, Ok(Page::default()));
    }

    // rapid7/insightconnect-plugins: `reply` was a list where an object was expected, and `total_count` null.
    #[test]
    fn a_reply_that_is_a_list_is_a_page_of_its_items() {
        let page = read_page(json!([{"agent_id": "a"}, {"agent_id": "b"}]), "endpoints").unwrap();
        assert_eq!(page.records.len(), 2);
    }

    #[test]
    fn a_reply_wrapped_in_a_list_of_one_is_unwrapped() {
        let page = read_page(
            json!([{"total_count": 3, "endpoints": [{}, {}, {}]}]),
            "endpoints",
        )
        .unwrap();
        assert_eq!((page.records.len(), page.total), (3, Some(3)));
    }

    #[test]
    fn a_malformed_answer_and_an_empty_inventory_do_not_look_alike() {
        assert!(read_page(json!({}), "endpoints").is_err());
        assert!(read_page(json!(null), "endpoints").is_err());
        assert!(read_page(json!("text"), "endpoints").is_err());
        assert!(read_page(json!({"endpoints": null}), "endpoints").is_err());
        assert!(read_page(json!({"endpoints": {"a": 1}}), "endpoints").is_err());
        assert_eq!(
            read_page(json!({"endpoints": []}), "endpoints"),
            Ok(Page::default())
        );
    }

    #[test]
    fn endpoints_sort_in_capitals_and_filters_are_written_out() {
        let request = PageRequest {
            filters: vec![
                Filter::any_of("endpoint_status", ["connected"]),
                Filter::since("first_seen", 5),
            ],
            sort: Some("first_seen"),
            from: 100,
            to: 200,
        };
        assert_eq!(
            request_data(&request, "ASC"),
            json!({
                "filters": [
                    {"field": "endpoint_status", "operator": "in", "value": ["connected"]},
                    {"field": "first_seen", "operator": "gte", "value": 5},
                ],
                "search_from": 100,
                "search_to": 200,
                "sort": {"field": "first_seen", "keyword": "ASC"},
            })
        );
    }
}
