//! What the tenant says about itself: whether its API is up, and its licences.

use super::client::{Client, Reply, kind_of};
use super::fault::Fault;
use crate::describe::Call;
use crate::platform::Platform;
use serde_json::{Map, Value, json};

/// The licence counters of `get_tenant_info`, as they came: `pro_per_endpoint_expiration` ("May 18th 2023 08:51:59", or 0),
/// `purchased_pro_per_endpoint` ({agents}), `enabled_host_insights`, `purchased_host_insights` and more.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantInfo(pub Map<String, Value>);

impl TenantInfo {
    /// Whether the Host Insights add-on is there; unknown where the reply does not speak of it.
    pub fn host_insights(&self) -> Option<bool> {
        let mut known = false;
        for name in ["enabled_host_insights", "purchased_host_insights"] {
            match self.0.get(name) {
                None | Some(Value::Null) => {}
                Some(value) if is_nothing(value) => known = true,
                Some(_) => return Some(true),
            }
        }
        known.then_some(false)
    }
}

/// Counters of what was not bought are 0, false, "" or an object of such.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => matches!(text.trim(), "" | "0"),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

impl<P: Platform> Client<P> {
    /// Whether the API is up; its answer is not in the usual envelope. `{"status": "Healthy"}` where it is.
    pub async fn healthcheck(&self) -> Result<Reply<Value>, Fault> {
        self.exchange(Call::Healthcheck, Vec::new()).await
    }

    /// The tenant's licences.
    pub async fn tenant_info(&self) -> Result<Reply<TenantInfo>, Fault> {
        let reply = self.ask(Call::GetTenantInfo, json!({})).await?;
        match reply.value {
            Value::Object(fields) => Ok(Reply {
                value: TenantInfo(fields),
                headers: reply.headers,
            }),
            other => {
                let what = format!("{} in \"reply\"", kind_of(&other));
                Err(self.wrong_shape(Call::GetTenantInfo, reply.headers, &what))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(value: Value) -> TenantInfo {
        let Value::Object(fields) = value else {
            panic!("not an object");
        };
        TenantInfo(fields)
    }

    #[test]
    fn host_insights_is_known_only_where_the_reply_speaks_of_it() {
        assert_eq!(info(json!({})).host_insights(), None);
        assert_eq!(
            info(json!({"purchased_host_insights": 0})).host_insights(),
            Some(false)
        );
        assert_eq!(
            info(json!({"purchased_host_insights": 0, "enabled_host_insights": 1})).host_insights(),
            Some(true)
        );
        assert_eq!(
            info(json!({"purchased_host_insights": {"agents": 100}})).host_insights(),
            Some(true)
        );
    }
}
