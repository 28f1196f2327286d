//! Rows of an XQL query: whatever the stream of them holds, plain or compressed, after everything else went well.

use crate::platform::Scripted;
use crate::replies::read;
use cortex_xdr::contract::Mode;
use cortex_xdr::describe::Call;
use serde_json::json;

/// The first byte tells how many rows the API says there are; the rest is the stream. The lookups that follow answer nothing.
pub fn rows(data: &[u8]) {
    let Some((said, stream)) = data.split_first() else {
        return;
    };
    let (said, stream) = (*said, stream.to_vec());
    let host = Scripted::new(move |request| {
        let reply = match request.call {
            Call::GetTenantInfo => json!({"reply": {}}),
            Call::GetXqlQuota => json!({"reply": {
                "license_quota": 5, "additional_purchased_quota": 0, "used_quota": 0, "eval_quota": 0
            }}),
            Call::StartXqlQuery => json!({"reply": "query-1"}),
            Call::GetXqlResults => json!({"reply": {
                "status": "SUCCESS", "number_of_results": said, "query_cost": {"t": 0.1},
                "remaining_quota": 4.0, "results": {"stream_id": "stream-1"}
            }}),
            Call::GetXqlResultsStream => return Some((200, stream.clone())),
            Call::GetEndpoint => json!({"reply": {"total_count": 0, "result_count": 0, "endpoints": []}}),
            _ => return None,
        };
        Some((200, reply.to_string().into_bytes()))
    });
    read(host, "vulnerabilities", Mode::Full);
}
