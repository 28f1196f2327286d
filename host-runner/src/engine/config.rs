//! How wasmtime is set up, and why.

use super::limits::Limits;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Epochs tick this often: a guest that spins yields at each tick, so that its meter is read and others get their turn.
pub(crate) const TICK: std::time::Duration = std::time::Duration::from_millis(5);

/// wit-component makes three core instances of a small component (shims for its indirect calls among them).
const CORE_INSTANCES: u32 = 6;
/// And two tables.
const TABLES: u32 = 4;

/// An engine whose instances come from a pool, or on demand where the machine's address space is too small for a pool (as
/// under `ulimit -v`).
pub(crate) fn engine(limits: &Limits, instances: u32) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_tables(instances.saturating_mul(TABLES))
        .total_memories(instances)
        // Each call of an async export runs on a stack of its own.
        .total_stacks(instances.saturating_mul(2))
        .max_memory_size(usize::try_from(limits.memory_mib << 20).unwrap_or(usize::MAX))
        .table_elements(usize::try_from(limits.table_elements).unwrap_or(usize::MAX));
    let mut pooled = base();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&pooled).or_else(|error| {
        tracing::debug!(%error, "no pool of instances on this machine: they are made on demand");
        Engine::new(&base())
    })
}

fn base() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config
}
