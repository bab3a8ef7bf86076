//! The library's descriptors: attributes are set, then they are finalised, then others refer to them.

use super::api;
use super::check;
use crate::Result;
use cudarc::cudnn::sys::{
    cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, cudnnBackendDescriptor_t, cudnnBackendDescriptorType_t,
    cudnnBackendHeurMode_t, cudnnConvolutionMode_t, cudnnDataType_t, cudnnHandle_t, cudnnPointwiseMode_t,
    cudnnReduceTensorOp_t,
};
use std::ffi::c_void;
use std::ptr;

/// A descriptor, destroyed on drop. Whatever refers to it must be dropped first, or no longer used.
pub(super) struct Descriptor(cudnnBackendDescriptor_t);

impl Descriptor {
    pub(super) fn new(kind: cudnnBackendDescriptorType_t) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: the place is of the descriptor's type.
        let status = unsafe { api::cudnnBackendCreateDescriptor(kind, &raw mut raw) };
        check("cudnnBackendCreateDescriptor", status)?;
        Ok(Self(raw))
    }

    pub(super) fn set<V: Value>(&self, name: cudnnBackendAttributeName_t, values: &[V]) -> Result<()> {
        // SAFETY: the values are of the type that is told, and the library copies them.
        check("cudnnBackendSetAttribute", unsafe {
            api::cudnnBackendSetAttribute(self.0, name, V::TYPE, values.len() as i64, values.as_ptr().cast())
        })
    }

    pub(super) fn finalize(&self) -> Result<()> {
        // SAFETY: the descriptor is live.
        check("cudnnBackendFinalize", unsafe { api::cudnnBackendFinalize(self.0) })
    }

    /// A whole number of it.
    pub(super) fn number(&self, name: cudnnBackendAttributeName_t) -> Result<i64> {
        let mut value = 0_i64;
        self.get(name, i64::TYPE, 1, (&raw mut value).cast())?;
        Ok(value)
    }

    /// Numbers of an enumeration, as many as there are up to 64.
    pub(super) fn codes(
        &self,
        name: cudnnBackendAttributeName_t,
        kind: cudnnBackendAttributeType_t,
    ) -> Result<Vec<u32>> {
        let mut codes = vec![0_u32; 64];
        let count = self.get(name, kind, codes.len() as i64, codes.as_mut_ptr().cast())?;
        codes.truncate(usize::try_from(count).unwrap_or(0));
        Ok(codes)
    }

    /// How many elements of this kind it has.
    pub(super) fn count(&self, name: cudnnBackendAttributeName_t, kind: cudnnBackendAttributeType_t) -> Result<usize> {
        let count = self.get(name, kind, 0, ptr::null_mut())?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Descriptors of it, written into some that were made for this; so many are.
    pub(super) fn fill(&self, name: cudnnBackendAttributeName_t, descriptors: &[Self]) -> Result<usize> {
        let mut links: Vec<Link> = descriptors.iter().map(Self::link).collect();
        let count = self.get(name, Link::TYPE, links.len() as i64, links.as_mut_ptr().cast())?;
        Ok(usize::try_from(count).unwrap_or(0).min(descriptors.len()))
    }

    fn get(
        &self,
        name: cudnnBackendAttributeName_t,
        kind: cudnnBackendAttributeType_t,
        room: i64,
        place: *mut c_void,
    ) -> Result<i64> {
        let mut count = 0;
        // SAFETY: the place has room for as many values of the type as are told.
        check("cudnnBackendGetAttribute", unsafe {
            api::cudnnBackendGetAttribute(self.0, name, kind, room, &raw mut count, place)
        })?;
        Ok(count)
    }

    /// For descriptors that refer to it.
    pub(super) fn link(&self) -> Link {
        Link(self.0)
    }

    pub(super) fn raw(&self) -> cudnnBackendDescriptor_t {
        self.0
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the library made it, for this value alone.
        unsafe {
            let _ = api::cudnnBackendDestroyDescriptor(self.0);
        }
    }
}

/// A type of attributes' values, which lies in memory as the library expects it.
pub(super) trait Value {
    const TYPE: cudnnBackendAttributeType_t;
}

macro_rules! values {
    ($($value:ty => $kind:ident),+ $(,)?) => {
        $(impl Value for $value {
            const TYPE: cudnnBackendAttributeType_t = cudnnBackendAttributeType_t::$kind;
        })+
    };
}

values! {
    bool => CUDNN_TYPE_BOOLEAN,
    i64 => CUDNN_TYPE_INT64,
    f32 => CUDNN_TYPE_FLOAT,
    f64 => CUDNN_TYPE_DOUBLE,
    cudnnHandle_t => CUDNN_TYPE_HANDLE,
    cudnnDataType_t => CUDNN_TYPE_DATA_TYPE,
    cudnnConvolutionMode_t => CUDNN_TYPE_CONVOLUTION_MODE,
    cudnnPointwiseMode_t => CUDNN_TYPE_POINTWISE_MODE,
    cudnnReduceTensorOp_t => CUDNN_TYPE_REDUCTION_OPERATOR_TYPE,
    cudnnBackendHeurMode_t => CUDNN_TYPE_HEUR_MODE,
    Address => CUDNN_TYPE_VOID_PTR,
    Link => CUDNN_TYPE_BACKEND_DESCRIPTOR,
}

/// A reference from one descriptor to another.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Link(cudnnBackendDescriptor_t);

/// An address, of the device's memory or of the host's.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Address(pub(super) u64);
