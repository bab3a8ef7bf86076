typedef struct { uint value, a, b, c; } params_t;
kernel void touch(global uint *words, params_t params) { words[get_global_id(0)] = params.value; }
