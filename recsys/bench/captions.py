"""Captions and interests in Chinese and English that mean the same, and how often an encoder finds the one by the other.

All of them are ours. Several share a scene or a thing with others, so that a single word does not give the answer away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoder import Encoder
from recsys.intervals import Interval

CAPTIONS = (
    ("一个小女孩在雨里撑着红色的伞", "A little girl holds a red umbrella in the rain"),
    ("一个老人在公园的长椅上喂鸽子", "An old man feeds pigeons on a park bench"),
    ("两个孩子在沙滩上堆城堡", "Two children build a castle on the beach"),
    ("渔夫在清晨把网拉上船", "A fisherman pulls the net into his boat at dawn"),
    ("一只黑猫睡在窗台上", "A black cat sleeps on the windowsill"),
    ("一只白狗追着自己的尾巴", "A white dog chases its own tail"),
    ("厨师把切好的蔬菜倒进锅里", "The cook puts the chopped vegetables into the pan"),
    ("面包师天还没亮就开始揉面", "The baker starts kneading before daylight"),
    ("学生们在图书馆里安静地读书", "Students read quietly in the library"),
    ("老师在黑板上写下一道难题", "The teacher writes a hard problem on the blackboard"),
    ("火车在雪地里晚点了三个小时", "The train is three hours late in the snow"),
    ("公共汽车停在一个没有人的车站", "The bus stops at a station where nobody waits"),
    ("地铁里挤满了下班的人", "The subway is full of people going home from work"),
    ("一个男人骑自行车去上班", "A man rides a bicycle to work"),
    ("飞机因为大雾不能起飞", "The plane cannot take off because of the fog"),
    ("一对夫妻在厨房里争吵", "A couple quarrels in the kitchen"),
    ("他们在婚礼上跳了第一支舞", "They dance the first dance at the wedding"),
    ("她给多年没见的朋友写了一封信", "She writes a letter to a friend she has not seen for years"),
    ("他每天给生病的母亲打电话", "He calls his sick mother every day"),
    ("祖母给孙子讲睡前故事", "Grandmother tells her grandson a bedtime story"),
    ("兄弟俩为了遗产打官司", "Two brothers go to court over an inheritance"),
    ("侦探在旧房子里发现一封信", "The detective finds a letter in the old house"),
    ("凶手就是那个每天送牛奶的人", "The murderer is the man who delivers the milk"),
    ("小偷在博物馆里偷走了一幅画", "A thief steals a painting from the museum"),
    ("警察追着一辆没有车牌的汽车", "The police chase a car without a number plate"),
    ("一个律师替无辜的人辩护", "A lawyer defends an innocent man"),
    ("宇航员独自在火星上种土豆", "An astronaut grows potatoes alone on Mars"),
    ("外星人的飞船停在城市上空", "An alien ship hangs above the city"),
    ("机器人学会了怎样说谎", "A robot learns how to lie"),
    ("科学家发明了一台时间机器", "A scientist invents a time machine"),
    ("未来的人不再需要睡觉", "People of the future no longer need sleep"),
    ("士兵从战场上给家里写信", "A soldier writes home from the battlefield"),
    ("战争结束了，村子里没有人回来", "The war is over and nobody comes back to the village"),
    ("国王把王位让给了小女儿", "The king leaves the throne to his youngest daughter"),
    ("皇帝在宫殿里感到孤独", "The emperor feels lonely in his palace"),
    ("一个骑士和一条龙成了朋友", "A knight and a dragon become friends"),
    ("女巫把王子变成了青蛙", "The witch turns the prince into a frog"),
    ("鬼在旧医院的走廊里唱歌", "A ghost sings in the corridor of the old hospital"),
    ("有人在半夜敲了三下门", "Somebody knocks three times at midnight"),
    ("医生整夜守在病人床边", "The doctor stays at the patient's bed all night"),
    ("护士给孩子打针时唱歌", "The nurse sings while she gives the child an injection"),
    ("足球队在最后一分钟进球", "The football team scores in the last minute"),
    ("她第一次跑完了马拉松", "She finishes a marathon for the first time"),
    ("游泳运动员打破了世界纪录", "The swimmer breaks the world record"),
    ("两个老人在树下下棋", "Two old men play chess under a tree"),
    ("登山者在暴风雪里迷了路", "The climbers lose their way in a snowstorm"),
    ("钢琴家在空荡荡的音乐厅练习", "The pianist practises in an empty concert hall"),
    ("小提琴的声音让他想起童年", "The sound of the violin reminds him of his childhood"),
    ("歌手在街头为路人唱歌", "A singer performs for people passing in the street"),
    ("鼓手的节奏快得让人站不住", "The drummer's rhythm is so fast that nobody can stand still"),
    ("一首适合夜里开车听的慢歌", "A slow song for driving at night"),
    ("一首关于离别的悲伤民歌", "A sad folk song about parting"),
    ("画家只用蓝色画大海", "The painter uses only blue to paint the sea"),
    ("摄影师等了三天才拍到雪豹", "The photographer waits three days for a picture of the snow leopard"),
    ("作家丢失了唯一的手稿", "The writer loses the only manuscript"),
    ("演员忘记了自己的台词", "The actor forgets his lines"),
    ("导演把童年的村子拍成电影", "The director makes a film about the village of his childhood"),
    ("防水的登山鞋，适合下雨天", "Waterproof hiking boots for rainy days"),
    ("轻便的帐篷，两个人可以睡", "A light tent that sleeps two"),
    ("保温杯能让茶热一整天", "The flask keeps tea hot all day"),
    ("一把锋利的厨房用刀", "A sharp kitchen knife"),
    ("可以折叠的木头椅子", "A wooden chair that folds"),
    ("声音很好的无线耳机", "Wireless headphones with good sound"),
    ("给婴儿用的柔软毯子", "A soft blanket for babies"),
    ("可以调高度的书桌", "A desk of adjustable height"),
    ("纯棉的白色衬衫", "A white shirt of pure cotton"),
    ("冬天穿的厚羊毛袜", "Thick woollen socks for winter"),
    ("种番茄用的大花盆", "A big pot for growing tomatoes"),
    ("给鸟做的木头小屋", "A small wooden house for birds"),
    ("能装下笔记本电脑的背包", "A backpack that holds a laptop"),
    ("夜里自动亮的小灯", "A small lamp that lights up by itself at night"),
    ("市政府决定关闭旧桥", "The city council decides to close the old bridge"),
    ("房租在一年里涨了百分之十", "Rents rise by ten percent within a year"),
    ("工人因为工资太低罢工", "Workers strike because of low wages"),
    ("暴雨淹没了半个城市", "Heavy rain floods half the city"),
    ("森林大火逼近了村庄", "A forest fire comes close to the village"),
    ("科学家在海底发现新的鱼", "Scientists discover a new fish on the sea floor"),
    ("医院缺少护士", "The hospital is short of nurses"),
    ("总统选举推迟到秋天", "The presidential election is postponed until autumn"),
    ("银行降低了利息", "The bank lowers its interest rates"),
    ("农民抱怨今年的收成不好", "Farmers complain about this year's poor harvest"),
    ("学校开始提供免费的午餐", "The school begins to offer free lunches"),
    ("新的地铁线明年开通", "A new subway line opens next year"),
    ("动物园里出生了一只熊猫", "A panda is born in the zoo"),
    ("博物馆展出古代的钱币", "The museum shows ancient coins"),
    ("冰川每年都在缩小", "The glacier shrinks every year"),
    ("风车给整个岛供电", "Wind turbines supply the whole island with electricity"),
    ("数学让她觉得平静", "Mathematics makes her feel calm"),
    ("他想学做日本菜", "He wants to learn Japanese cooking"),
    ("我喜欢看恐怖电影", "I like watching horror films"),
    ("她喜欢古典音乐和歌剧", "She likes classical music and opera"),
    ("适合全家一起看的动画片", "A cartoon for the whole family"),
    ("让人笑到流泪的喜剧", "A comedy that makes you laugh until you cry"),
    ("一个关于初恋的故事", "A story about first love"),
    ("一部关于企鹅的纪录片", "A documentary about penguins"),
    ("没有对白的黑白电影", "A black-and-white film without dialogue"),
    ("在沙漠里寻找水的旅行者", "Travellers looking for water in the desert"),
    ("船在暴风雨里失去了方向", "The ship loses its course in the storm"),
    ("岛上只住着一个看灯塔的人", "Only a lighthouse keeper lives on the island"),
    ("他们沿着河走了七天", "They walk along the river for seven days"),
    ("月亮升起来的时候狼开始叫", "The wolves begin to howl when the moon rises"),
    ("蜜蜂在苹果树上采蜜", "Bees gather honey in the apple trees"),
    ("马在草原上自由地奔跑", "Horses run free across the grassland"),
    ("大象记得每一个伤害过它的人", "The elephant remembers everyone who hurt it"),
    ("秋天的叶子落在屋顶上", "Autumn leaves fall on the roof"),
    ("春天的第一朵花开在墙边", "The first flower of spring blooms by the wall"),
    ("妈妈做的饺子最好吃", "Mother's dumplings taste best"),
    ("一碗热汤面只要几块钱", "A bowl of hot noodle soup costs only a few coins"),
    ("他不加糖也不加奶地喝咖啡", "He drinks coffee without sugar or milk"),
    ("桌子上放着一块生日蛋糕", "A birthday cake stands on the table"),
    ("她忘了把钥匙放在哪里", "She forgets where she put the keys"),
    ("手机在会议上响了", "The phone rings during the meeting"),
    ("电脑突然关机，文件没有保存", "The computer shuts down and the file is not saved"),
    ("密码太简单，很容易被猜到", "The password is too simple and easy to guess"),
    ("老板在电梯里开除了他", "The boss fires him in the elevator"),
    ("他用第一份工资给父亲买了鞋", "With his first wages he buys shoes for his father"),
    ("邻居的孩子每天练习小号", "The neighbours' child practises the trumpet every day"),
    ("楼上的人从来不关灯", "The people upstairs never switch off the light"),
    ("他们把旧工厂改成了剧院", "They turn the old factory into a theatre"),
    ("村里最后一家商店关门了", "The last shop in the village closes"),
)
"""Sentences in Chinese and English."""

INTERESTS = (
    ("科幻", "science fiction"),
    ("爱情", "romance"),
    ("喜剧", "comedy"),
    ("动作", "action"),
    ("悬疑", "mystery"),
    ("动画", "animation"),
    ("剧情", "drama"),
    ("纪录片", "documentary"),
    ("历史", "history"),
    ("家庭", "family"),
    ("战争", "war"),
    ("恐怖", "horror"),
    ("犯罪", "crime"),
    ("音乐", "music"),
    ("奇幻", "fantasy"),
    ("武侠", "martial arts"),
    ("运动", "sports"),
    ("旅行", "travel"),
    ("美食", "good food"),
    ("烹饪", "cooking"),
    ("园艺", "gardening"),
    ("摄影", "photography"),
    ("绘画", "painting"),
    ("篮球", "basketball"),
    ("足球", "football"),
    ("游泳", "swimming"),
    ("跑步", "running"),
    ("登山", "mountain climbing"),
    ("骑自行车", "cycling"),
    ("钓鱼", "fishing"),
    ("下棋", "chess"),
    ("电子游戏", "video games"),
    ("古典音乐", "classical music"),
    ("爵士乐", "jazz"),
    ("摇滚乐", "rock music"),
    ("民歌", "folk songs"),
    ("嘻哈", "hip-hop"),
    ("舞蹈", "dance"),
    ("戏剧", "theatre"),
    ("歌剧", "opera"),
    ("诗歌", "poetry"),
    ("小说", "novels"),
    ("哲学", "philosophy"),
    ("数学", "mathematics"),
    ("物理", "physics"),
    ("生物学", "biology"),
    ("天文学", "astronomy"),
    ("太空", "outer space"),
    ("外星人", "aliens"),
    ("机器人", "robots"),
    ("人工智能", "artificial intelligence"),
    ("编程", "programming"),
    ("经济", "economy"),
    ("政治", "politics"),
    ("选举", "elections"),
    ("法律", "law"),
    ("医学", "medicine"),
    ("健康", "health"),
    ("瑜伽", "yoga"),
    ("睡眠", "sleep"),
    ("育儿", "raising children"),
    ("婚礼", "weddings"),
    ("友谊", "friendship"),
    ("宠物", "pets"),
    ("猫", "cats"),
    ("狗", "dogs"),
    ("鸟", "birds"),
    ("海洋", "the ocean"),
    ("森林", "forests"),
    ("气候变化", "climate change"),
    ("汽车", "cars"),
    ("火车", "trains"),
    ("飞机", "airplanes"),
    ("建筑", "architecture"),
    ("时装", "fashion"),
    ("首饰", "jewellery"),
    ("家具", "furniture"),
    ("露营", "camping"),
    ("咖啡", "coffee"),
    ("茶", "tea"),
    ("葡萄酒", "wine"),
    ("面包", "bread"),
    ("素食", "vegetarian food"),
    ("日本", "Japan"),
    ("法国", "France"),
    ("古罗马", "ancient Rome"),
    ("中世纪", "the Middle Ages"),
    ("间谍", "spies"),
    ("海盗", "pirates"),
    ("僵尸", "zombies"),
    ("吸血鬼", "vampires"),
    ("龙", "dragons"),
    ("超级英雄", "superheroes"),
    ("时间旅行", "time travel"),
    ("监狱", "prison"),
    ("校园生活", "school life"),
    ("初恋", "first love"),
    ("黑白电影", "black-and-white films"),
    ("默片", "silent films"),
)
"""The same for interests, as people type them: a word or two."""


@dataclass(frozen=True)
class Match:
    """How often the text of the same meaning is the nearest of all in the other language.

    Attributes:
        from_chinese: share of the Chinese ones whose own English one is nearest.
        from_english: the other way round.
    """

    from_chinese: Interval
    from_english: Interval


def match(encoder: Encoder, pairs: Sequence[tuple[str, str]]) -> Match:
    """Returns the shares for pairs of Chinese and English; of two that are equally near neither is right."""
    chinese, english = (encoder.encode(list(texts)) for texts in zip(*pairs, strict=True))
    near = chinese.astype(np.float64) @ english.T
    return Match(_share(near), _share(near.T))


def match_all(encoder: Encoder) -> dict[str, dict[str, float]]:
    """Returns the shares for captions and for interests, in both directions, as plain JSON values."""
    found: dict[str, dict[str, float]] = {}
    for name, pairs in (("captions", CAPTIONS), ("interests", INTERESTS)):
        own = match(encoder, pairs)
        found[f"{name}, English by Chinese"] = own.from_chinese.to_dict()
        found[f"{name}, Chinese by English"] = own.from_english.to_dict()
    return found


def _share(near: np.ndarray) -> Interval:
    """The share of rows whose largest value is on the diagonal, with its exact interval: a bootstrap has none for 0 and 1.

    Source: C. Clopper and E. Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial, 1934.
    """
    from scipy.stats import binomtest

    others = near - np.diag(np.full(len(near), np.inf))
    n_right = int((np.diag(near) > others.max(axis=1)).sum())
    limits = binomtest(n_right, len(near)).proportion_ci(0.95)
    return Interval(n_right / len(near), float(limits.low), float(limits.high), len(near))
