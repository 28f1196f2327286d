//! All that a data directory holds: each file byte for byte, and each value of each table, unpacked.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Row};
use std::path::Path;

/// How compressed values begin.
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Each file below a folder, by its path.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            all.push((format!("the file {}", path.display()), bytes));
        }
    }
    all
}

/// Each value of each table of a tenant's file, read without the runner's own code.
pub async fn values(file: &Path) -> Vec<(String, Vec<u8>)> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let pool = SqlitePool::connect_with(options).await.expect("a store");
    let names = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
    let columns: Vec<(String, String)> = sqlx::query_as(names)
        .fetch_all(&pool)
        .await
        .expect("tables");
    let mut all = Vec::new();
    for (table, column) in columns {
        let statement = format!("SELECT CAST(\"{column}\" AS BLOB) FROM \"{table}\"");
        let rows = sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&pool)
            .await
            .expect("rows");
        for row in rows {
            let value: Option<Vec<u8>> = row.get(0);
            let value = value.unwrap_or_default();
            let place = format!("{column} of the table {table}");
            if value.starts_with(&ZSTANDARD) {
                let unpacked = zstd::stream::decode_all(value.as_slice()).expect("a body");
                all.push((format!("{place}, unpacked"), unpacked));
            }
            all.push((place, value));
        }
    }
    pool.close().await;
    all
}
