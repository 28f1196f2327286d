//! What no Rust compiler writes: core modules put into the component by hand, which do their work while it is instantiated.

use crate::bench::{default_runtime, load, runtime};
use cross_crate_tests::HOSTILE;
use host_runner::engine::Limits;
use wasm_encoder::{
    BlockType, CodeSection, ComponentSection, Function, FunctionSection, InstanceSection,
    Instruction, MemorySection, MemoryType, Module, ModuleArg, ModuleSection, RefType,
    StartSection, TableSection, TableType, TypeSection,
};

/// How many core modules stand in the component itself, not in others within it.
fn modules(component: &[u8]) -> u32 {
    let (mut at, mut found) = (8, 0);
    while at < component.len() {
        let id = component[at];
        let (mut size, mut shift) = (0_usize, 0);
        loop {
            at += 1;
            size |= usize::from(component[at] & 0x7f) << shift;
            shift += 7;
            if component[at] & 0x80 == 0 {
                break;
            }
        }
        found += u32::from(id == 1);
        at += 1 + size;
    }
    found
}

/// The hostile component with one more core module, instantiated so many times.
fn with_module(module: &Module, times: usize) -> Vec<u8> {
    let mut bytes = HOSTILE.to_vec();
    let index = modules(HOSTILE);
    ModuleSection(module).append_to_component(&mut bytes);
    let mut instances = InstanceSection::new();
    for _ in 0..times {
        instances.instantiate(index, std::iter::empty::<(&str, ModuleArg)>());
    }
    instances.append_to_component(&mut bytes);
    bytes
}

/// A module whose start function is this.
fn starting(with: impl FnOnce(&mut Module), body: &[Instruction<'_>]) -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    module.section(&types);
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    with(&mut module);
    module.section(&StartSection { function_index: 0 });
    let mut function = Function::new([]);
    for instruction in body {
        function.instruction(instruction);
    }
    function.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&function);
    module.section(&code);
    module
}

fn table(elements: u64) -> TableSection {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: elements,
        maximum: None,
        shared: false,
    });
    tables
}

fn memory(pages: u64, shared: bool) -> MemorySection {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: pages,
        maximum: shared.then_some(pages),
        memory64: false,
        shared,
        page_size_log2: None,
    });
    memories
}

async fn refused(bytes: Vec<u8>) -> String {
    let loaded = load(&default_runtime(), bytes).await;
    loaded.err().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_bounded_as_they_are_made_and_as_they_grow() {
    let mut large = Module::new();
    large.section(&table(60_000));
    let error = refused(with_module(&large, 1)).await;
    assert!(error.contains("`table-elements` (50000"), "{error}");
    // Two of them are too many together.
    let mut half = Module::new();
    half.section(&table(30_000));
    let error = refused(with_module(&half, 2)).await;
    assert!(error.contains("`table-elements` (50000"), "{error}");
    let growing = starting(
        |module| {
            module.section(&table(1));
        },
        &[
            Instruction::Loop(BlockType::Empty),
            Instruction::RefNull(wasm_encoder::HeapType::FUNC),
            Instruction::I32Const(1_000),
            Instruction::TableGrow(0),
            Instruction::Drop,
            Instruction::Br(0),
            Instruction::End,
        ],
    );
    let error = refused(with_module(&growing, 1)).await;
    assert!(error.contains("`table-elements` (50000"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_has_one_memory_of_its_own_and_shares_none() {
    let mut second = Module::new();
    second.section(&memory(1, false));
    let error = refused(with_module(&second, 1)).await;
    assert!(error.contains("at most 1 memories"), "{error}");
    // To wait on a shared memory would stop the host's own thread.
    let mut shared = Module::new();
    shared.section(&memory(1, true));
    let error = refused(with_module(&shared, 0)).await;
    assert!(error.contains("threads"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_made_of_few_parts() {
    let error = refused(with_module(&Module::new(), 20)).await;
    assert!(error.contains("at most 6 core instances"), "{error}");
}

/// A second of the processor is enough to tell it from work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_while_it_is_instantiated_ends() {
    let spinning = starting(
        |_| {},
        &[
            Instruction::Loop(BlockType::Empty),
            Instruction::Br(0),
            Instruction::End,
        ],
    );
    let limits = Limits {
        step_cpu_ms: 1_000,
        ..Limits::default()
    };
    let loaded = load(&runtime(limits), with_module(&spinning, 1)).await;
    let error = loaded.err().unwrap().to_string();
    assert!(error.contains("`step-cpu`"), "{error}");
}
