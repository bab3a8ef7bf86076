struct params_t { unsigned value, a, b, c; };
extern "C" __global__ void touch(unsigned *words, params_t params) { words[blockIdx.x] = params.value; }
