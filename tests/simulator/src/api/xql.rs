//! The XQL calls: start, results, stream, quota, datasets.

use std::sync::Arc;

use futures_util::StreamExt;
use http::StatusCode;
use serde_json::Value;

use super::Context;
use crate::json::Json;
use crate::options::{StreamGzip, XqlOutcome};
use crate::query::request_data;
use crate::reply::{Body, PROCESSING_ERROR, Reply};
use crate::xql::datasets::{Datasets, host_insights};
use crate::xql::engine::{PARALLEL, Refused, STREAM, XqlEngine};
use crate::xql::eval::run;
use crate::xql::output::{RowStream, Times, csv, write_row};
use crate::xql::parser::parse;

/// The most rows that come with the results themselves; more need a stream.
const INLINE: usize = 1_000;

/// 500 with the place of a mistake, as a syntax error is answered.
fn parse_error(reason: &str) -> Reply {
    Reply::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        PROCESSING_ERROR,
        |json| {
            json.begin_object();
            json.key_text("parse_err", reason);
            json.end_object();
        },
    )
}

/// 500 with the reason why a query is not started.
pub fn refusal(engine: &XqlEngine, reason: Refused) -> Reply {
    let totals = |json: &mut Json| {
        json.key_int("total_daily_running_queries", engine.running_today as i64);
        json.key_int(
            "total_daily_concurrent_rejected_queries",
            engine.rejected_today as i64,
        );
    };
    Reply::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        PROCESSING_ERROR,
        |json| {
            json.begin_object();
            match reason {
                Refused::Quota => {
                    json.key_text("err_msg", "query usage exceeded max daily quota");
                    json.key("quota_info");
                    json.begin_object();
                    json.key("used_quota");
                    json.float(engine.used());
                    json.key("max_quota");
                    json.float(engine.granted());
                    json.key_text("error_type", "QUOTA_EXCEEDED");
                    let left = engine.remaining();
                    let text = format!(
                        "The daily number of remaining Compute Units ({left:?}) is insufficient"
                    );
                    json.key_text("message", &text);
                    json.end_object();
                }
                Refused::Parallel => {
                    json.key_text(
                        "err_msg",
                        "reached max allowed amount of parallel running queries",
                    );
                    json.key_null("query_cost");
                    json.key("remaining_quota");
                    json.float(engine.remaining());
                }
            }
            totals(json);
            json.end_object();
        },
    )
}

/// `xql/start_xql_query`: the query is carried out at once; that it is pending is only said.
pub async fn start_xql_query(context: &Context, body: &Value) -> Reply {
    let text = match request_data(body) {
        Ok(data) => data
            .get("query")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        Err(reason) => return Reply::business(&reason),
    };
    let query = match parse(&text) {
        Ok(query) => query,
        Err(reason) => return parse_error(&reason),
    };
    {
        let today = context.tenant.today();
        let mut engine = context.tenant.xql();
        engine.at_day(today);
        if let Err(reason) = engine.admit() {
            return refusal(&engine, reason);
        }
    }
    let (tenant, options) = (context.tenant.clone(), Arc::clone(&context.options));
    // A large join takes a while: not on a thread that serves other requests.
    let ran = tokio::task::spawn_blocking(move || {
        let tenant = tenant.read();
        run(
            &query,
            &Datasets {
                tenant: &tenant,
                options: &options,
            },
        )
    });
    let (table, read) = match ran.await {
        Ok(Ok(found)) => found,
        Ok(Err(reason)) => return parse_error(&reason),
        Err(_) => return Reply::business("the query could not be carried out"),
    };
    let mut engine = context.tenant.xql();
    match engine.start(table, read) {
        Ok(id) => Reply::of(|json| json.text(&id)),
        Err(reason) => refusal(&engine, reason),
    }
}

/// `xql/get_query_results`.
pub fn get_query_results(context: &Context, body: &Value) -> Reply {
    let data = match request_data(body) {
        Ok(data) => data,
        Err(reason) => return Reply::business(&reason),
    };
    let Some(id) = data.get("query_id").and_then(Value::as_str) else {
        return Reply::business("query_id is missing");
    };
    let wait = data.get("pending_flag").and_then(Value::as_bool) == Some(false);
    let limit = match data.get("limit") {
        None | Some(Value::Null) => None,
        Some(limit) => match limit.as_u64().and_then(|limit| usize::try_from(limit).ok()) {
            Some(limit) => Some(limit),
            None => return Reply::business("limit must be a whole number"),
        },
    };
    let as_csv = data.get("format").and_then(Value::as_str) == Some("csv");
    let mut engine = context.tenant.xql();
    let remaining = engine.remaining();
    let query = match engine.poll(id, wait) {
        None => return Reply::business("query_id was not found"),
        Some(None) => {
            return Reply::of(|json| {
                json.begin_object();
                json.key_text("status", "PENDING");
                json.end_object();
            });
        }
        Some(Some(query)) => query,
    };
    let status = match query.outcome {
        XqlOutcome::Success => "SUCCESS",
        XqlOutcome::PartialSuccess => "PARTIAL_SUCCESS",
        XqlOutcome::Fail => {
            return Reply::of(|json| {
                json.begin_object();
                json.key_text("status", "FAIL");
                json.key_text("error", "the query failed on the server");
                json.end_object();
            });
        }
    };
    let (table, cost) = (Arc::clone(&query.table), query.cost);
    drop(engine);
    let matched = table.rows.len();
    let rows = matched.min(limit.unwrap_or(usize::MAX));
    Reply::of(|json| {
        json.begin_object();
        json.key_text("status", status);
        // With a limit the cap is reported as the total, as the API does.
        json.key_int("number_of_results", rows as i64);
        json.key("query_cost");
        json.begin_object();
        json.key("simulated_tenant");
        json.float(cost);
        json.end_object();
        json.key("remaining_quota");
        json.float(remaining);
        json.key("results");
        json.begin_object();
        if rows > INLINE {
            // A limit above a thousand goes with the stream's id.
            let limit = limit.map(|limit| format!(".{limit}")).unwrap_or_default();
            json.key_text("stream_id", &format!("{id}{STREAM}{limit}"));
        } else if as_csv {
            json.key_text("data", &csv(&table, rows));
        } else {
            json.key("data");
            json.begin_list();
            table
                .rows
                .iter()
                .take(rows)
                .for_each(|row| write_row(json, &table, row, Times::Millis));
            json.end_list();
        }
        json.end_object();
        json.end_object();
    })
}

/// `xql/get_query_results_stream`: NDJSON in chunks.
pub fn get_query_results_stream(context: &Context, body: &Value, accepts_gzip: bool) -> Reply {
    let data = match request_data(body) {
        Ok(data) => data,
        Err(reason) => return Reply::business(&reason),
    };
    let stream_id = data
        .get("stream_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (name, limit) = match stream_id.split_once('.') {
        Some((name, limit)) => (name, limit.parse().unwrap_or(0)),
        None => (stream_id, usize::MAX),
    };
    let Some(table) = context.tenant.xql().stream(name) else {
        return Reply::business("stream_id was not found");
    };
    let asked = data.get("is_gzip_compressed").and_then(Value::as_bool) == Some(true);
    let encoding = accepts_gzip && context.options.gzip;
    let (packed, encoded) = match context.options.xql_stream_gzip {
        StreamGzip::AsAsked => (asked, encoding),
        StreamGzip::None => (false, false),
        StreamGzip::Once => (true, false),
        StreamGzip::Twice => (true, true),
    };
    let rows = RowStream::new(table, limit, usize::from(packed) + usize::from(encoded));
    Reply {
        status: StatusCode::OK,
        content_type: if packed {
            "application/octet-stream"
        } else {
            "application/x-ndjson"
        },
        body: Body::Stream(futures_util::stream::iter(rows.map(Ok)).boxed()),
        retry_after: None,
        encoded,
    }
}

/// `xql/get_quota`.
pub fn get_quota(context: &Context) -> Reply {
    let today = context.tenant.today();
    let mut engine = context.tenant.xql();
    engine.at_day(today);
    Reply::of(|json| {
        json.begin_object();
        json.key("license_quota");
        json.float(engine.granted());
        json.key("additional_purchased_quota");
        json.float(0.0);
        json.key("used_quota");
        json.float(engine.used());
        json.key("daily_used_quota");
        json.float(engine.used());
        json.key("eval_quota");
        json.float(0.0);
        json.key_int("total_daily_running_queries", engine.running_today as i64);
        json.key_int(
            "total_daily_concurrent_rejected_queries",
            engine.rejected_today as i64,
        );
        json.key("current_concurrent_active_queries");
        json.begin_object();
        json.end_object();
        json.key_int(
            "current_concurrent_active_queries_count",
            engine.running() as i64,
        );
        json.key_int("max_daily_concurrent_active_query_count", PARALLEL as i64);
        json.end_object();
    })
}

/// `xql/get_datasets`: a bare list. Without Host Insights the `va_*` datasets were never updated.
pub fn get_datasets(context: &Context) -> Reply {
    let tenant = context.tenant.read();
    let insights = host_insights(&context.options);
    let datasets = [
        ("endpoints", true, tenant.by_first_seen.len()),
        ("va_cves", insights, tenant.cves.len()),
        ("va_endpoints", insights, tenant.by_first_seen.len()),
    ];
    Reply::of(|json| {
        json.begin_list();
        for (name, active, events) in datasets {
            json.begin_object();
            json.key_text("dataset_name", name);
            json.key_text("type", "SYSTEM");
            json.key_text("log_update_type", "LOGS");
            json.key("last_updated");
            match active {
                true => json.int(tenant.epoch - 3_600_000),
                false => json.null(),
            }
            json.key_int("total_events", if active { events as i64 } else { 0 });
            json.end_object();
        }
        json.end_list();
    })
}
