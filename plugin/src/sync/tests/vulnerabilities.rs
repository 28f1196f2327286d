//! What becomes of vulnerabilities.
