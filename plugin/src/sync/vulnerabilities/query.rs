//! The XQL query: one row per endpoint and CVE, sorted by endpoint, joined on the server.

/// The most rows that the API gives for a query (API reference: maximum 1,000,000). As many rows as this mean that more were cut off.
pub(super) const MAX_ROWS: u64 = 1_000_000;

/// The window of time that goes with the query, in milliseconds: a day. The datasets hold the present state and ignore it.
pub(super) const RELATIVE_TIME: u64 = 86_400_000;

/// The query.
///
/// - `va_endpoints` has one row per endpoint with the list `cves`; an endpoint without any has the one item "No CVEs Found" and so
///   stays in. Its own columns `severity` and `severity_score` are left out, because the CVE's bear the same names.
/// - The join is a left one: a CVE that `va_cves` does not describe still comes, by its name.
/// - `affected_hosts` and other long columns of `va_cves` are left out: they would come once per row.
/// - Without `limit` the API would cut the rows at a number of its own and not say so.
pub(super) fn text() -> String {
    format!(
        "dataset = va_endpoints \
         | fields endpoint_id, endpoint_name, cves \
         | arrayexpand cves \
         | join type = left (dataset = va_cves | fields name, cve_id, description, severity, severity_score, publication_date, modification_date, \
         type, is_excluded) as c c.name = cves \
         | fields endpoint_id, endpoint_name, cves, name, cve_id, description, severity, severity_score, publication_date, modification_date, type, \
         is_excluded \
         | sort asc endpoint_id \
         | limit {MAX_ROWS}"
    )
}
