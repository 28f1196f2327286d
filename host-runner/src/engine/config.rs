//! How wasmtime is set up, and why.

use super::limits::Limits;
use super::memories::Memories;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Epochs tick this often: a guest that spins yields at each tick, so that its meter is read and others get their turn.
pub(crate) const TICK: std::time::Duration = std::time::Duration::from_millis(5);

/// Core instances that one component may be made of: wit-component makes three of a small one (shims for its indirect calls among them). As many as
/// an instance's share of the pool, so that none takes from another's.
pub(crate) const CORE_INSTANCES: u32 = 6;
/// Tables that they may have together: wit-component makes two.
pub(crate) const TABLES: u32 = 4;
/// Memories that they may have together.
pub(crate) const MEMORIES: u32 = 1;

/// What the host needs on the stack that a component runs on, beside the component's own.
const HOST_STACK: usize = 1 << 20;

/// An engine whose instances come from a pool, or on demand where the machine's address space is too small for a pool (as
/// under `ulimit -v`).
///
/// With memories of the caller's own there is no pool, and every access checks its bounds: such memories need no guard pages.
pub(crate) fn engine(
    limits: &Limits,
    instances: u32,
    memories: Option<&Memories>,
) -> wasmtime::Result<Engine> {
    if let Some(memories) = memories {
        let mut own = base(limits);
        own.with_host_memory(memories.creator())
            .memory_reservation(0)
            .memory_guard_size(0)
            .memory_init_cow(false);
        return Engine::new(&own);
    }
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_tables(instances.saturating_mul(TABLES))
        .total_memories(instances.saturating_mul(MEMORIES))
        // Each call of an async export runs on a stack of its own.
        .total_stacks(instances.saturating_mul(2))
        .max_memory_size(usize::try_from(limits.memory_mib << 20).unwrap_or(usize::MAX))
        .table_elements(usize::try_from(limits.table_elements).unwrap_or(usize::MAX));
    let mut pooled = base(limits);
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&pooled).or_else(|error| {
        tracing::debug!(%error, "no pool of instances on this machine: they are made on demand");
        Engine::new(&base(limits))
    })
}

fn base(limits: &Limits) -> Config {
    let stack = usize::try_from(limits.stack_kib << 10).unwrap_or(usize::MAX);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack.saturating_add(HOST_STACK))
        // What a machine may do in its own way is done in one: a component describes itself alike everywhere.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}
