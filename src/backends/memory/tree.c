#include "backends/memory/tree.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"

struct memory_node {
    atomic_uint refs;
    uint32_t priority;
    memory_record *record;
    memory_node *left;
    memory_node *right;
    memory_node *next_dead; /* only while the tree is dropped */
    uint64_t count;         /* of this subtree, as is the next */
    uint64_t bytes;
};

memory_record *memory_record_new(lls_bytes key, lls_bytes value, const lls_kv_meta *meta)
{
    memory_record *record = lls_alloc(sizeof(*record) + key.len + value.len);

    if (!record)
        return NULL;
    record->refs = 1;
    record->item = (lls_kv_item){
        .key = {record->bytes, key.len},
        .value = {record->bytes + key.len, value.len},
        .meta = *meta,
    };
    memcpy(record->bytes, key.data, key.len);
    if (value.len)
        memcpy(record->bytes + key.len, value.data, value.len);
    return record;
}

void memory_record_drop(memory_record *record)
{
    if (atomic_fetch_sub(&record->refs, 1) == 1)
        lls_free(record);
}

memory_tree memory_tree_hold(memory_tree tree)
{
    if (tree)
        (void)atomic_fetch_add(&tree->refs, 1);
    return tree;
}

/* Nodes whose last holder is gone wait in a list: a large tree is freed without recursion. */
static void let_go(memory_node *node, memory_node **dead)
{
    if (node && atomic_fetch_sub(&node->refs, 1) == 1) {
        node->next_dead = *dead;
        *dead = node;
    }
}

void memory_tree_drop(memory_tree tree)
{
    memory_node *dead = NULL;

    let_go(tree, &dead);
    while (dead) {
        memory_node *node = dead;
        dead = node->next_dead;
        let_go(node->left, &dead);
        let_go(node->right, &dead);
        memory_record_drop(node->record);
        lls_free(node);
    }
}

uint64_t memory_tree_count(memory_tree tree)
{
    return tree ? tree->count : 0;
}

uint64_t memory_tree_bytes(memory_tree tree)
{
    return tree ? tree->bytes : 0;
}

static void sum_up(memory_node *node)
{
    const lls_kv_item *item = &node->record->item;

    node->count = 1 + memory_tree_count(node->left) + memory_tree_count(node->right);
    node->bytes = item->key.len + item->value.len + memory_tree_bytes(node->left) +
                  memory_tree_bytes(node->right);
}

/* Make `*at` a node that nobody else holds. Its children get one more holder, so that going down
 * copies them in their turn. */
static bool make_own(memory_node **at)
{
    memory_node *shared = *at;

    if (atomic_load(&shared->refs) == 1)
        return true;
    memory_node *own = lls_alloc(sizeof(*own));
    if (!own)
        return false;
    own->refs = 1;
    own->priority = shared->priority;
    own->record = shared->record;
    (void)atomic_fetch_add(&own->record->refs, 1);
    own->left = memory_tree_hold(shared->left);
    own->right = memory_tree_hold(shared->right);
    own->count = shared->count;
    own->bytes = shared->bytes;
    memory_tree_drop(shared);
    *at = own;
    return true;
}

static memory_node *leaf_new(memory_record *record)
{
    memory_node *leaf = lls_alloc(sizeof(*leaf));

    if (!leaf)
        return NULL;
    const uintptr_t place = (uintptr_t)leaf;
    const lls_bytes dice = {(const uint8_t *)&place, sizeof(place)};
    leaf->refs = 1;
    leaf->priority = lls_checksum(&dice, 1);
    leaf->record = record;
    sum_up(leaf);
    return leaf;
}

/* Bring the child up where its priority is greater. Both nodes are our own. */
static void rotate(memory_node **at)
{
    memory_node *node = *at;
    memory_node *up = node;

    if (node->left && node->left->priority > node->priority) {
        up = node->left;
        node->left = up->right;
        up->right = node;
    } else if (node->right && node->right->priority > node->priority) {
        up = node->right;
        node->right = up->left;
        up->left = node;
    }
    if (up != node)
        sum_up(node);
    sum_up(up);
    *at = up;
}

/* As deep as the treap is: some 50 levels for ten million records. */
static bool put(memory_node **at, memory_record *record)
{
    if (!*at) {
        *at = leaf_new(record);
        return *at != NULL;
    }
    if (!make_own(at))
        return false;
    memory_node *node = *at;
    int order = lls_bytes_cmp(record->item.key, node->record->item.key);
    if (order == 0) {
        memory_record_drop(node->record);
        node->record = record;
        sum_up(node);
        return true;
    }
    if (!put(order < 0 ? &node->left : &node->right, record))
        return false;
    rotate(at);
    return true;
}

lls_err memory_tree_put(memory_tree *tree, memory_record *record, lls_error *err)
{
    if (put(tree, record))
        return LLS_OK;
    memory_record_drop(record);
    return lls_fail(err, LLS_E_NOMEM, "out of memory");
}

lls_err memory_tree_put_shared(memory_tree *tree, const memory_record *record, lls_error *err)
{
    memory_record *shared = (memory_record *)(uintptr_t)record; // only its count changes

    (void)atomic_fetch_add(&shared->refs, 1);
    return memory_tree_put(tree, shared, err);
}

/* Join two trees, all keys of `left` being less than those of `right`. Takes both holds. */
static bool join(memory_node *left, memory_node *right, memory_node **out)
{
    if (!left || !right) {
        *out = left ? left : right;
        return true;
    }
    bool from_left = left->priority > right->priority;
    memory_node *top = from_left ? left : right;
    memory_node *other = from_left ? right : left;
    if (!make_own(&top)) {
        memory_tree_drop(top);
        memory_tree_drop(other);
        *out = NULL;
        return false;
    }
    memory_node **inner = from_left ? &top->right : &top->left;
    bool fine = from_left ? join(*inner, other, inner) : join(other, *inner, inner);
    sum_up(top);
    *out = top;
    return fine;
}

static bool take_out(memory_node **at, lls_bytes key)
{
    if (!make_own(at))
        return false;
    memory_node *node = *at;
    int order = lls_bytes_cmp(key, node->record->item.key);
    if (order != 0) {
        bool fine = take_out(order < 0 ? &node->left : &node->right, key);
        sum_up(node);
        return fine;
    }
    memory_node *left = node->left;
    memory_node *right = node->right;
    node->left = node->right = NULL;
    memory_tree_drop(node);
    return join(left, right, at);
}

lls_err memory_tree_remove(memory_tree *tree, lls_bytes key, lls_error *err)
{
    if (memory_tree_find(*tree, key) && !take_out(tree, key))
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return LLS_OK;
}

const memory_record *memory_tree_find(memory_tree tree, lls_bytes key)
{
    while (tree) {
        int order = lls_bytes_cmp(key, tree->record->item.key);
        if (order == 0)
            return tree->record;
        tree = order < 0 ? tree->left : tree->right;
    }
    return NULL;
}

const memory_record *memory_tree_next(memory_tree tree, lls_bytes key, memory_bound bound)
{
    const memory_record *best = NULL;

    while (tree) {
        int order = lls_bytes_cmp(tree->record->item.key, key);
        bool behind = bound == MEMORY_FROM ? order >= 0 : order > 0;
        if (behind)
            best = tree->record;
        tree = behind ? tree->left : tree->right;
    }
    return best;
}

const memory_record *memory_tree_last(memory_tree tree)
{
    if (!tree)
        return NULL;
    while (tree->right)
        tree = tree->right;
    return tree->record;
}

/* As deep as the treap is, on the left; the right is a loop. */
lls_err memory_tree_each(memory_tree tree, memory_visit visit, void *user, lls_error *err)
{
    for (; tree; tree = tree->right) {
        LLS_TRY(memory_tree_each(tree->left, visit, user, err));
        LLS_TRY(visit(user, tree->record, err));
    }
    return LLS_OK;
}
