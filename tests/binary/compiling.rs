//! A component that takes minutes to compile: the process that does it has a time, and does not outlive it.

use crate::runner::Runner;
use cortex_xdr_simulator::Options;
use host_runner::component::Source;
use host_runner::engine::Limits;
use wasm_encoder::{
    BlockType, CodeSection, ComponentSection, Function, FunctionSection, Instruction, Module,
    ModuleSection, TypeSection, ValType,
};

/// The bundled connector, so that nothing but its compiling can be refused, with one more module in it: a function of half a million branches, after each
/// of which any of 500 values may be another. A fifth of them was measured at a minute: no machine is done in a second. (Straight code is no bomb: what
/// nothing reads is left out, and two million instructions were compiled in a fifth of a second.)
fn bomb() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([(500, ValType::I32)]);
    for n in 0..500_000_u32 {
        function.instruction(&Instruction::LocalGet(n * 7 % 500));
        function.instruction(&Instruction::If(BlockType::Empty));
        function.instruction(&Instruction::LocalGet(n * 11 % 500));
        function.instruction(&Instruction::LocalSet(n % 500));
        function.instruction(&Instruction::End);
    }
    function.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let bundled = Source::Bundled.read(&Limits::default()).unwrap();
    let mut component = bundled.bytes.into_owned();
    ModuleSection(&module).append_to_component(&mut component);
    component
}

/// It may take two minutes: here it may take a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_takes_minutes_to_compile_is_given_up_and_its_compiler_dies() {
    let runner = Runner::new(Options::default()).await;
    let bomb = runner.file("bomb.wasm", bomb());
    let temporary = runner.folder.path().join("compiling");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = runner.command(&["--plugin", &bomb, "inspect", "--limit-compile", "1"]);
    let ended = command.env("TMPDIR", &temporary).output().await.unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(
        said.contains("the limit `compile` (1 seconds) was reached"),
        "{said}"
    );
    // The compiler is called with a file in that folder. Where there is no such file system there is nothing to look at.
    let folder = temporary.to_string_lossy().into_owned();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        assert!(
            !(command.contains("compile-component") && command.contains(&folder)),
            "it lives on: {command}"
        );
    }
}
