//! What a device leaves to the one that it is made of.

/// Methods of a `Device` that are those of its field `inner`, by their names.
#[macro_export]
macro_rules! of_inner {
    (@alloc) => {
        fn alloc(&self, bytes: u64) -> ::accelbench_backends::Result<::accelbench_backends::Buffer> {
            self.inner.alloc(bytes)
        }
    };
    (@alloc_pinned) => {
        fn alloc_pinned(&self, bytes: u64) -> ::accelbench_backends::Result<::accelbench_backends::Buffer> {
            self.inner.alloc_pinned(bytes)
        }
    };
    (@upload) => {
        fn upload(
            &self,
            dst: &::accelbench_backends::Buffer,
            offset: u64,
            src: &[u8],
        ) -> ::accelbench_backends::Result<()> {
            self.inner.upload(dst, offset, src)
        }
    };
    (@download) => {
        fn download(
            &self,
            src: &::accelbench_backends::Buffer,
            offset: u64,
            dst: &mut [u8],
        ) -> ::accelbench_backends::Result<()> {
            self.inner.download(src, offset, dst)
        }
    };
    (@compile) => {
        fn compile(
            &self,
            spec: &::accelbench_backends::KernelSpec,
        ) -> ::accelbench_backends::Result<::accelbench_backends::Kernel> {
            self.inner.compile(spec)
        }
    };
    (@submit) => {
        fn submit(
            &self,
            commands: &[::accelbench_backends::Command<'_>],
        ) -> ::accelbench_backends::Result<::accelbench_backends::Ticket> {
            self.inner.submit(commands)
        }
    };
    (@wait) => {
        fn wait(
            &self,
            ticket: ::accelbench_backends::Ticket,
        ) -> ::accelbench_backends::Result<Vec<::accelbench_backends::Span>> {
            self.inner.wait(ticket)
        }
    };
    (@memory) => {
        fn memory(&self) -> ::accelbench_backends::Result<::accelbench_backends::Memory> {
            self.inner.memory()
        }
    };
    (@clock_mhz) => {
        fn clock_mhz(&self) -> ::accelbench_backends::Result<f64> {
            self.inner.clock_mhz()
        }
    };
    ($($method:ident)+) => {
        $($crate::of_inner!(@$method);)+
    };
}
