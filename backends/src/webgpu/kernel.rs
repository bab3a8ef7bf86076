//! Kernels: WGSL through naga into the system's own shader language.
//!
//! naga can wrap every access in a bounds check, bound every loop and guard every division, so that a web page can't
//! harm its host. That costs up to half of a kernel's speed, and what is measured here is the device. So kernels are
//! compiled as trusted: they come with this program, guard their own indices and end their own loops. Drivers may still
//! check buffer accesses where they do so themselves. For the same reason workgroup memory is not zeroed first: a kernel
//! writes what it reads.

use super::bindings::Bindings;
use super::gpu::Gpu;
use crate::{Access, Error, Kernel, KernelSpec, Result, Source};
use wgpu::naga;

pub(super) struct GpuKernel {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bindings: Bindings,
}

impl GpuKernel {
    pub(super) fn compile(gpu: &Gpu, spec: &KernelSpec) -> Result<Kernel> {
        let Source::Wgsl(source) = &spec.source else {
            return Err(spec.wrong_language("webgpu"));
        };
        if !spec.defines.is_empty() {
            return Err(Error::invalid("WGSL has no preprocessor, so a kernel in it takes no definitions"));
        }
        if spec.shared_bytes != 0 {
            return Err(Error::invalid("WGSL declares all workgroup memory in the source"));
        }
        check_entry(spec, source)?;
        let refused = |log: String| Error::Compile { entry: spec.entry.clone(), log };
        let descriptor =
            wgpu::ShaderModuleDescriptor { label: Some(&spec.entry), source: wgpu::ShaderSource::Wgsl(source.clone()) };
        // SAFETY: kernels come with this program and are held against a reference at odd shapes; each guards its own
        // indices and bounds its own loops. See the module's documentation.
        let module =
            unsafe { gpu.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
        if let Some(error) = gpu.faults.take()? {
            return Err(refused(error.to_string()));
        }
        let entries: Vec<_> = binding_types(spec).zip(0..).map(layout_entry).collect();
        let layout = gpu
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(&spec.entry), entries: &entries });
        let pipeline_layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&spec.entry),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        gpu.faults.check(0)?;
        let pipeline = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&spec.entry),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(&spec.entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        if let Some(error) = gpu.faults.take()? {
            return Err(refused(error.to_string()));
        }
        let log = pollster::block_on(module.get_compilation_info());
        let log: Vec<_> = log.messages.into_iter().map(|message| message.message).collect();
        Ok(Kernel::new(gpu.token, spec, log.join("\n"), Self { pipeline, bindings: Bindings::new(layout) }))
    }
}

/// Checks what wgpu does not: that the source's work-group is the one that the plan counts on.
fn check_entry(spec: &KernelSpec, source: &str) -> Result<()> {
    let refused = |log: String| Error::Compile { entry: spec.entry.clone(), log };
    let module = naga::front::wgsl::parse_str(source).map_err(|error| refused(error.emit_to_string(source)))?;
    let entry = module.entry_points.iter().find(|entry| entry.name == spec.entry);
    let entry = entry.ok_or_else(|| refused("the source has no such entry point".to_owned()))?;
    if entry.workgroup_size == spec.group {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "the source of `{}` states a work-group of {:?}, its declaration {:?}",
            spec.entry, entry.workgroup_size, spec.group
        )))
    }
}

/// The buffers in order, then the parameter block.
fn binding_types(spec: &KernelSpec) -> impl Iterator<Item = wgpu::BufferBindingType> {
    let buffers =
        spec.bindings.iter().map(|access| wgpu::BufferBindingType::Storage { read_only: *access == Access::Read });
    buffers.chain((spec.params_bytes != 0).then_some(wgpu::BufferBindingType::Uniform))
}

fn layout_entry((ty, binding): (wgpu::BufferBindingType, u32)) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}
