//! Faults that change what a finished answer says: rows, totals, the reply itself.

use serde_json::{Map, Value, json};

use super::fault::Fault;
use crate::tenant::mix::Mix;

/// Changes the body of an answer with status 200. `list` is the key of the records where the call answers pages. Returns the body
/// with what was done to it; `None` when the fault finds nothing to change.
pub fn alter(
    fault: Fault,
    mix: &mut Mix,
    list: Option<&str>,
    body: &[u8],
) -> Option<(Vec<u8>, String)> {
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let detail = match fault {
        Fault::ReplyNull => replace(&mut document, |_| Value::Null)?,
        Fault::ReplyList => replace(&mut document, |reply| Value::Array(vec![reply]))?,
        Fault::ReplyMissing => {
            document = Value::Object(Map::new());
            String::new()
        }
        Fault::EmptyList if list.is_none() => {
            let rows = document.get_mut("reply")?.as_array_mut()?;
            emptied(rows)
        }
        Fault::XqlEmpty => empty_result(document.get_mut("reply")?.as_object_mut()?)?,
        _ => change_page(
            fault,
            mix,
            list?,
            document.get_mut("reply")?.as_object_mut()?,
        )?,
    };
    let bytes = serde_json::to_vec(&document).ok()?;
    Some((bytes, detail))
}

fn replace(document: &mut Value, with: impl FnOnce(Value) -> Value) -> Option<String> {
    let reply = document.get_mut("reply")?;
    *reply = with(reply.take());
    Some(String::new())
}

fn emptied(rows: &mut Vec<Value>) -> String {
    let detail = format!("0 of {} rows", rows.len());
    rows.clear();
    detail
}

/// A query that succeeded, without its rows.
fn empty_result(reply: &mut Map<String, Value>) -> Option<String> {
    if reply.get("status")?.as_str()? != "SUCCESS" {
        return None;
    }
    let before = reply.insert("number_of_results".to_owned(), json!(0))?;
    reply.insert("results".to_owned(), json!({ "data": [] }));
    Some(format!("0 of {before} rows"))
}

/// Changes the rows or the total of a page.
fn change_page(
    fault: Fault,
    mix: &mut Mix,
    list: &str,
    reply: &mut Map<String, Value>,
) -> Option<String> {
    let total = reply.get("total_count").cloned();
    let rows = reply.get_mut(list)?.as_array_mut()?;
    let count = rows.len();
    let detail = match fault {
        Fault::EmptyList | Fault::EmptyPage => emptied(rows),
        Fault::ShortPage => {
            let keep = mix.below(count as u64) as usize;
            rows.truncate(keep);
            (keep < count).then(|| format!("{keep} of {count} rows"))?
        }
        // Reached only for a first page, before which there is none: its first half comes twice.
        Fault::RepeatedPage => {
            let half = count / 2;
            let again = rows.get(..half)?.to_vec();
            rows.truncate(count - half);
            rows.extend(again);
            (half > 0).then(|| format!("the first {half} rows twice"))?
        }
        Fault::RepeatedRow => {
            let at = mix.below((count as u64).checked_sub(1)?) as usize;
            let row = rows.get(at)?.clone();
            let other = rows.get_mut(at + 1)?;
            *other = row;
            format!("row {at} twice")
        }
        Fault::DisorderedPage => {
            rows.reverse();
            (count > 1).then(|| "backwards".to_owned())?
        }
        Fault::NullTotal => {
            reply.insert("total_count".to_owned(), Value::Null);
            return Some(format!("in place of {}", total.unwrap_or_default()));
        }
        Fault::MissingTotal => {
            let total = reply.remove("total_count")?;
            return Some(format!("in place of {total}"));
        }
        Fault::TextTotal => {
            let text = total?.to_string();
            reply.insert("total_count".to_owned(), Value::String(text.clone()));
            return Some(format!("\"{text}\""));
        }
        Fault::LyingTotal => {
            let truth = total?.as_u64()?;
            let lie = lie(truth, count as u64, mix)?;
            reply.insert("total_count".to_owned(), json!(lie));
            return Some(format!("{lie} in place of {truth}"));
        }
        _ => return None,
    };
    let rows = rows.len();
    reply.insert("result_count".to_owned(), json!(rows));
    if fault == Fault::EmptyList {
        reply.insert("total_count".to_owned(), json!(0));
    }
    Some(detail)
}

/// A total other than the true one.
fn lie(truth: u64, rows: u64, mix: &mut Mix) -> Option<u64> {
    let lies = [
        0,
        truth / 2,
        truth.saturating_sub(1),
        truth.saturating_add(1),
        truth.saturating_add(1 + mix.below(500)),
        rows,
        9_999,
    ];
    let first = mix.below(lies.len() as u64) as usize;
    let mut from_there = lies.iter().cycle().skip(first).take(lies.len());
    from_there.find(|lie| **lie != truth).copied()
}

/// Moves the window that a request asks for, so that its answer is another page. Returns the request with what was done to it; `None`
/// when there is no such page.
pub fn move_window(fault: Fault, mix: &mut Mix, body: &[u8]) -> Option<(Vec<u8>, String)> {
    if !matches!(fault, Fault::RepeatedPage | Fault::ShiftedPage) {
        return None;
    }
    let mut document: Value = serde_json::from_slice(body).ok()?;
    let data = document.get_mut("request_data")?.as_object_mut()?;
    let number = |key: &str| data.get(key).and_then(Value::as_u64);
    let from = number("search_from").unwrap_or(0);
    let to = number("search_to").unwrap_or(from.saturating_add(100));
    let size = to.checked_sub(from)?;
    let moved = match fault {
        Fault::RepeatedPage => from.checked_sub(size.max(1))?,
        _ => {
            let by = 1 + mix.below(size.clamp(1, 10));
            // As many rows were added before the page, or removed from there.
            if mix.percent(50) {
                from.saturating_sub(by)
            } else {
                from.saturating_add(by)
            }
        }
    };
    if moved == from {
        return None;
    }
    data.insert("search_from".to_owned(), json!(moved));
    data.insert("search_to".to_owned(), json!(moved.saturating_add(size)));
    let bytes = serde_json::to_vec(&document).ok()?;
    Some((bytes, format!("the page at {moved} in place of {from}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::mix::Purpose;
    use proptest::prelude::*;

    fn mix(number: u64) -> Mix {
        Mix::new(1, Purpose::FaultDetail, number)
    }

    fn page(rows: usize, total: u64) -> Vec<u8> {
        let rows: Vec<Value> = (0..rows).map(|number| json!({ "id": number })).collect();
        let reply = json!({ "total_count": total, "result_count": rows.len(), "alerts": rows });
        serde_json::to_vec(&json!({ "reply": reply })).unwrap()
    }

    fn changed(fault: Fault, rows: usize, total: u64) -> Value {
        let (body, _) =
            alter(fault, &mut mix(1), Some("alerts"), &page(rows, total)).expect("a change");
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        body["reply"].take()
    }

    fn ids(reply: &Value) -> Vec<u64> {
        let rows = reply["alerts"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_u64().unwrap()).collect()
    }

    #[test]
    fn an_empty_list_agrees_with_its_total_and_an_empty_page_does_not() {
        let list = changed(Fault::EmptyList, 10, 90);
        assert_eq!(
            list,
            json!({ "total_count": 0, "result_count": 0, "alerts": [] })
        );
        let page = changed(Fault::EmptyPage, 10, 90);
        assert_eq!(
            page,
            json!({ "total_count": 90, "result_count": 0, "alerts": [] })
        );
        let (bare, _) = alter(
            Fault::EmptyList,
            &mut mix(1),
            None,
            br#"{"reply": [{"agent_id": "a"}]}"#,
        )
        .unwrap();
        assert_eq!(bare, br#"{"reply":[]}"#);
    }

    #[test]
    fn a_short_page_is_the_beginning_of_the_true_one() {
        let reply = changed(Fault::ShortPage, 100, 900);
        let rows = ids(&reply);
        assert!(rows.len() < 100 && rows == (0..rows.len() as u64).collect::<Vec<_>>());
        assert_eq!(reply["result_count"], rows.len());
        assert_eq!(reply["total_count"], 900);
    }

    #[test]
    fn a_first_page_repeats_its_own_rows() {
        assert_eq!(ids(&changed(Fault::RepeatedPage, 5, 5)), [0, 1, 2, 0, 1]);
    }

    #[test]
    fn a_repeated_row_hides_another() {
        let rows = ids(&changed(Fault::RepeatedRow, 10, 10));
        let distinct: std::collections::BTreeSet<&u64> = rows.iter().collect();
        assert_eq!((rows.len(), distinct.len()), (10, 9));
    }

    #[test]
    fn a_disordered_page_has_the_same_rows() {
        assert_eq!(ids(&changed(Fault::DisorderedPage, 4, 4)), [3, 2, 1, 0]);
    }

    #[test]
    fn totals_are_null_missing_text_or_lies() {
        let total = |fault| changed(fault, 10, 90).get("total_count").cloned();
        assert_eq!(total(Fault::NullTotal), Some(Value::Null));
        assert_eq!(total(Fault::MissingTotal), None);
        assert_eq!(total(Fault::TextTotal), Some(json!("90")));
        let lie = total(Fault::LyingTotal).unwrap();
        assert!(lie.is_u64() && lie != json!(90));
        assert_eq!(ids(&changed(Fault::LyingTotal, 10, 90)).len(), 10);
    }

    #[test]
    fn a_reply_is_null_in_a_list_or_missing() {
        let body = |fault| {
            let (body, _) = alter(fault, &mut mix(1), Some("alerts"), &page(1, 1)).unwrap();
            serde_json::from_slice::<Value>(&body).unwrap()
        };
        assert_eq!(body(Fault::ReplyNull), json!({ "reply": null }));
        assert!(body(Fault::ReplyList)["reply"][0]["alerts"].is_array());
        assert_eq!(body(Fault::ReplyMissing), json!({}));
    }

    #[test]
    fn a_result_without_rows_claims_success() {
        let body = br#"{"reply": {"status": "SUCCESS", "number_of_results": 5, "results": {"stream_id": "s"}}}"#;
        let (body, detail) = alter(Fault::XqlEmpty, &mut mix(1), None, body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let expected =
            json!({ "status": "SUCCESS", "number_of_results": 0, "results": { "data": [] } });
        assert_eq!(
            (&body["reply"], detail.as_str()),
            (&expected, "0 of 5 rows")
        );
        let pending = br#"{"reply": {"status": "PENDING"}}"#;
        assert!(alter(Fault::XqlEmpty, &mut mix(1), None, pending).is_none());
    }

    #[test]
    fn a_repeated_page_is_the_page_before_and_a_shifted_one_begins_elsewhere() {
        let moved = |fault, number, from: u64| {
            let body = json!({ "request_data": { "search_from": from, "search_to": from + 100 } });
            let body = serde_json::to_vec(&body).unwrap();
            let (body, _) = move_window(fault, &mut mix(number), &body)?;
            let body: Value = serde_json::from_slice(&body).unwrap();
            let data = &body["request_data"];
            let (from, to) = (data["search_from"].as_u64()?, data["search_to"].as_u64()?);
            assert_eq!(to - from, 100);
            Some(from)
        };
        assert_eq!(moved(Fault::RepeatedPage, 1, 300), Some(200));
        assert_eq!(moved(Fault::RepeatedPage, 1, 0), None);
        let shifted: Vec<u64> = (0..20)
            .filter_map(|number| moved(Fault::ShiftedPage, number, 300))
            .collect();
        assert!(
            shifted
                .iter()
                .all(|from| (290..=310).contains(from) && *from != 300)
        );
        assert!(shifted.iter().any(|from| *from < 300) && shifted.iter().any(|from| *from > 300));
    }

    proptest! {
        #[test]
        fn no_body_makes_altering_panic(at in 0..Fault::ALL.len(), body in "[{}\\[\\]:,\"a-z0-9]{0,60}", rows in 0..4_usize, number in any::<u64>()) {
            let fault = Fault::ALL[at];
            let _ = alter(fault, &mut mix(number), Some("alerts"), body.as_bytes());
            let _ = move_window(fault, &mut mix(number), body.as_bytes());
            let _ = alter(fault, &mut mix(number), Some("alerts"), &page(rows, u64::MAX));
            let _ = alter(fault, &mut mix(number), None, &page(rows, 3));
        }

        #[test]
        fn a_lie_is_never_the_truth(truth in 0..20_000_u64, rows in 0..101_u64, number in any::<u64>()) {
            prop_assert_ne!(lie(truth, rows, &mut mix(number)), Some(truth));
        }
    }
}
