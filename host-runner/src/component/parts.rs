//! What a component is made of, counted before the compiler sees it: modules, tables and memories beyond an instance's share are refused by name.

use super::{ComponentFile, LoadError};
use crate::contract;
use crate::engine::{CORE_INSTANCES, LimitReached, Limits, MEMORIES, TABLES};
use wasmparser::{Instance, Parser, Payload};

/// What one core module declares.
#[derive(Debug, Clone, Copy, Default)]
struct Declared {
    tables: u64,
    elements: u64,
    memories: u64,
    /// In bytes.
    memory: u64,
}

/// What the component has when all its modules are instantiated.
#[derive(Debug, Default)]
struct Parts {
    instances: u64,
    all: Declared,
}

/// Refuses a component that would take more than its share. What can't be parsed is left to the compiler, which says more about it.
pub(crate) fn check_parts(file: &ComponentFile, limits: &Limits) -> Result<(), LoadError> {
    let refused = |reason: String| LoadError::Contract {
        name: file.name.clone(),
        contract: format!("{}@{}", contract::PACKAGE, contract::VERSION),
        reason,
    };
    let Ok(parts) = count(&file.bytes) else {
        return Ok(());
    };
    let Some(parts) = parts else {
        return Err(refused(
            "it is made of several components; a connector is one, with its core modules in it"
                .to_owned(),
        ));
    };
    for (what, has, may) in [
        ("core instances", parts.instances, CORE_INSTANCES),
        ("tables", parts.all.tables, TABLES),
        ("memories", parts.all.memories, MEMORIES),
    ] {
        if has > u64::from(may) {
            return Err(refused(format!(
                "it is made of {has} {what}, and a connector of at most {may} {what}"
            )));
        }
    }
    for (name, is, may) in [
        ("table-elements", parts.all.elements, limits.table_elements),
        (
            "memory",
            parts.all.memory,
            limits.memory_mib.saturating_mul(1 << 20),
        ),
    ] {
        if is > may {
            return Err(LoadError::Limit {
                name: file.name.clone(),
                reached: LimitReached::of(limits, name),
            });
        }
    }
    Ok(())
}

/// None where a component within the component has modules of its own.
fn count(bytes: &[u8]) -> wasmparser::Result<Option<Parts>> {
    let mut parts = Parts::default();
    let mut modules: Vec<Declared> = Vec::new();
    // How many components this one stands in, and whether a module is being read.
    let mut within = 0_u32;
    let mut in_module = false;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ComponentSection { .. } => within += 1,
            Payload::ModuleSection { .. } if within > 0 => return Ok(None),
            Payload::ModuleSection { .. } => {
                in_module = true;
                modules.push(Declared::default());
            }
            Payload::End(_) if in_module => in_module = false,
            Payload::End(_) => within = within.saturating_sub(1),
            Payload::TableSection(tables) => {
                for table in tables {
                    if let Some(module) = modules.last_mut() {
                        module.tables += 1;
                        module.elements = module.elements.saturating_add(table?.ty.initial);
                    }
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory?;
                    let page = 1_u64 << memory.page_size_log2.unwrap_or(16).min(16);
                    if let Some(module) = modules.last_mut() {
                        module.memories += 1;
                        let bytes = memory.initial.saturating_mul(page);
                        module.memory = module.memory.saturating_add(bytes);
                    }
                }
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        let index = usize::try_from(module_index).unwrap_or(usize::MAX);
                        let module = modules.get(index).copied().unwrap_or_default();
                        parts.add(module);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(parts))
}

impl Parts {
    fn add(&mut self, module: Declared) {
        self.instances += 1;
        self.all.tables = self.all.tables.saturating_add(module.tables);
        self.all.elements = self.all.elements.saturating_add(module.elements);
        self.all.memories = self.all.memories.saturating_add(module.memories);
        self.all.memory = self.all.memory.saturating_add(module.memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Source;

    #[test]
    fn the_bundled_connector_keeps_within_its_share() {
        let file = Source::Bundled.read(&Limits::default()).unwrap();
        check_parts(&file, &Limits::default()).unwrap();
        let parts = count(&file.bytes).unwrap().unwrap();
        assert!(parts.instances >= 2, "{parts:?}");
        assert_eq!(parts.all.memories, 1);
    }

    #[test]
    fn a_memory_that_begins_beyond_the_limit_is_refused_by_its_name() {
        let limits = Limits {
            memory_mib: 1,
            ..Limits::default()
        };
        let file = Source::Bundled.read(&limits).unwrap();
        let error = check_parts(&file, &limits).unwrap_err().to_string();
        assert!(error.contains("`memory` (1 MiB)"), "{error}");
    }
}
